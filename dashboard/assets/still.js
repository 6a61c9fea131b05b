/* Makes elements of what dashboard/still.py describes: known tags and attributes, texts as text. */
(function () {
  "use strict";

  var TAGS = new Set(("a b button code dd details div dl dt footer form h1 h2 h3 header input label li " +
    "nav ol option p section select span strong summary table tbody td th thead time tr ul")
    .split(" "));
  var ATTRIBUTES = /^(class|href|id|lang|max|min|role|scope|selected|tabindex|title|type|value|(aria|data)-[a-z-]+)$/;
  var OUR_ADDRESS = /^([/?#](?![/\\])|$)/;

  function element(described) {
    if (typeof described === "string") {
      return document.createTextNode(described);
    }
    var tag = described[0];
    if (!TAGS.has(tag)) {
      return document.createTextNode("");
    }
    var made = document.createElement(tag);
    Object.keys(described[1]).forEach(function (name) {
      var value = described[1][name];
      if (ATTRIBUTES.test(name) && (name !== "href" || OUR_ADDRESS.test(value))) {
        made.setAttribute(name, value);
      }
    });
    described[2].forEach(function (child) {
      made.appendChild(element(child));
    });
    return made;
  }

  function draw(place) {
    var focused = place.contains(document.activeElement) &&
      document.activeElement.getAttribute("data-filter");
    place.replaceChildren.apply(place, JSON.parse(place.getAttribute("data-still")).map(element));
    if (focused) {
      place.querySelector('[data-filter="' + focused + '"]').focus();
    }
  }

  new MutationObserver(function (changes) {
    changes.forEach(function (change) {
      if (change.type === "attributes") {
        draw(change.target);
        return;
      }
      change.addedNodes.forEach(function (node) {
        if (node.nodeType !== Node.ELEMENT_NODE) {
          return;
        }
        if (node.hasAttribute("data-still")) {
          draw(node);
        }
        node.querySelectorAll("[data-still]").forEach(draw);
      });
    });
  }).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-still"],
  });
})();
