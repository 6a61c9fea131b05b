/* A choice goes into the address, as a link would put it there; the page follows the address. */
(function () {
  "use strict";

  function follow(address) {
    window.history.pushState({}, "", address);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  document.addEventListener("change", function (event) {
    var name = event.target.getAttribute && event.target.getAttribute("data-filter");
    if (!name) {
      return;
    }
    var query = new URLSearchParams(window.location.search);
    if (event.target.value) {
      query.set(name, event.target.value);
    } else {
      query.delete(name);
    }
    query.delete("page");
    query.delete("stage");
    follow(window.location.pathname + "?" + query.toString());
  });

  /* Links of ours go the same way, unless a person wants a new tab. */
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a[data-follow]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    follow(link.getAttribute("href"));
  });

  document.addEventListener("submit", function (event) {
    event.preventDefault();
  });

  /* Light or dark: the system's choice until a person makes another. */
  function theme(name) {
    if (name) {
      document.documentElement.setAttribute("data-theme", name);
    }
  }
  try {
    theme(window.localStorage.getItem("theme"));
  } catch (error) {
    /* Storage is forbidden: the system's choice stays. */
  }
  document.addEventListener("click", function (event) {
    if (event.target.id !== "theme") {
      return;
    }
    var now = document.documentElement.getAttribute("data-theme") ||
      (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    var next = now === "dark" ? "light" : "dark";
    theme(next);
    try {
      window.localStorage.setItem("theme", next);
    } catch (error) {
      /* As above. */
    }
  });

  /* The name of the page stands in the window's title, and new content begins at its top. */
  var shown = "";
  new MutationObserver(function () {
    var main = document.getElementById("content");
    if (!main) {
      return;
    }
    var title = main.getAttribute("data-title") + " · " + document.title.split(" · ").pop();
    if (document.title !== title) {
      document.title = title;
    }
    var path = window.location.pathname;
    var here = document.querySelector("nav.pages a.here");
    if (here && shown !== path) {
      here.parentNode.scrollLeft = here.offsetLeft - here.parentNode.offsetLeft - 40;
    }
    if (shown && shown !== path) {
      window.scrollTo(0, 0);
    }
    shown = path;
  }).observe(document.body, { childList: true, subtree: true });
})();
