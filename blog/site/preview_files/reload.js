"use strict";
// Loads the page anew when the preview has something newer; a tab that nobody looks at keeps no connection.
const shown = document.currentScript.dataset.version;
let source = null;

function listen() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null) {
    source = new EventSource("/preview/changes");
    source.onmessage = (event) => {
      if (event.data !== shown) location.reload();
    };
  }
}

document.addEventListener("visibilitychange", listen);
window.addEventListener("pagehide", () => source?.close());
listen();
