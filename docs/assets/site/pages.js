// The theme puts wide tables into boxes that scroll. The Tab key reaches them, so keys scroll them.
function reach() {
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap")) box.tabIndex = 0;
}
new MutationObserver(reach).observe(document.body, { childList: true, subtree: true });
reach();
// The theme gives the window of the search no name.
document.querySelector(".md-search").setAttribute("aria-label", "Search");
