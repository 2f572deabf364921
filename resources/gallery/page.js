// The page works without this script: photos open and close by links. It adds keys and swiping, and
// loads the next photo ahead. It never writes text or markup into the page.
(function () {
  "use strict";
  var frames = Array.prototype.slice.call(document.querySelectorAll(".frame"));
  function at() {
    return frames.findIndex(function (frame) { return "#" + frame.id === location.hash; });
  }
  function show(number) {
    if (number < 0 || number >= frames.length) { return; }
    // Only the first photo opened adds a history entry, the others replace it: Back closes the photo.
    if (at() < 0) { location.hash = frames[number].id; } else { location.replace("#" + frames[number].id); }
  }
  function close(number) { location.replace("#t" + (number + 1)); }
  function fetch_(number) {
    var picture = frames[number] && frames[number].querySelector("img");
    if (!picture) { return; }
    var ahead = new Image();
    ahead.sizes = picture.sizes;
    ahead.srcset = picture.srcset;
  }
  var last = -1;
  function update() {
    var now = at();
    if (now >= 0) {
      frames[now].focus({ preventScroll: true });
      fetch_(now + 1);
      fetch_(now - 1);
    } else if (last >= 0) {
      var tile = document.getElementById("t" + (last + 1));
      if (tile) { tile.focus({ preventScroll: false }); }
    }
    last = now;
  }
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    var now = at();
    var tile = document.activeElement && document.activeElement.closest(".sheet a");
    var tiles = document.querySelectorAll(".sheet a");
    var here = now >= 0 ? now : tile ? Array.prototype.indexOf.call(tiles, tile) : -1;
    function go(number) {
      number = Math.max(0, Math.min(frames.length - 1, number));
      if (now >= 0) { show(number); } else if (tiles[number]) { tiles[number].focus(); }
    }
    switch (event.key) {
      case "ArrowRight": case "l": go(here + 1); break;
      case "ArrowLeft": case "h": go(here - 1); break;
      case " ": if (now < 0) { return; } go(here + (event.shiftKey ? -1 : 1)); break;
      case "Home": if (now < 0) { return; } go(0); break;
      case "End": if (now < 0) { return; } go(frames.length - 1); break;
      case "Escape": if (now < 0) { return; } close(now); break;
      default: return;
    }
    event.preventDefault();
  });
  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest(".frame a");
    if (!link) { return; }
    event.preventDefault();
    location.replace(link.getAttribute("href"));
  });
  var start = null;
  document.addEventListener("touchstart", function (event) {
    start = event.touches.length === 1 ? event.touches[0] : null;
  }, { passive: true });
  document.addEventListener("touchend", function (event) {
    var now = at(), end = event.changedTouches[0];
    if (!start || now < 0 || (window.visualViewport && window.visualViewport.scale > 1.01)) { return; }
    var across = end.clientX - start.clientX, down = end.clientY - start.clientY;
    if (Math.abs(across) > 48 && Math.abs(across) > 2 * Math.abs(down)) { show(now + (across < 0 ? 1 : -1)); }
    else if (down > 96 && down > 2 * Math.abs(across)) { close(now); }
  }, { passive: true });
  window.addEventListener("hashchange", update);
  update();
})();
