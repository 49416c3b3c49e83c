// News by the server's own word (server-sent events); where that is not to be had, asking from time to time does.

const AGAIN_MS = 60_000;

// Calls `changed` soon after something has; `isLive()` says whether the server is being listened to.
export function listen(changed) {
  let source = null;
  let timer = 0;
  let soon = 0;
  const close = () => {
    source?.close();
    source = null;
    clearTimeout(timer);
  };
  function open() {
    if (document.hidden || source || !window.EventSource) return;
    source = new EventSource("/v1/events");
    source.addEventListener("changes", () => {
      clearTimeout(soon);
      soon = setTimeout(changed, 150);
    });
    source.onerror = () => {
      // CONNECTING: the browser tries again by itself.
      if (source?.readyState !== EventSource.CLOSED) return;
      close();
      timer = setTimeout(open, AGAIN_MS);
    };
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  open();
  return { isLive: () => source?.readyState === EventSource.OPEN };
}
