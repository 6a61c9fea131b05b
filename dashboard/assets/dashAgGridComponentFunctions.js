/* A deal's name in a list: a link with text, never markup. */
var dagcomponentfuncs = (window.dashAgGridComponentFunctions =
  window.dashAgGridComponentFunctions || {});

dagcomponentfuncs.DealLink = function (props) {
  if (!props.data) {
    return null;
  }
  if (!props.data.href) {
    return props.value;
  }
  return React.createElement(
    "a",
    {
      href: props.data.href,
      onClick: function (event) {
        event.preventDefault();
        window.history.pushState({}, "", props.data.href);
        window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
      },
    },
    props.value
  );
};
