// Browsers start no Worker for a page that is opened as a file. The search of this site needs one,
// so an invisible frame of the same origin stands in for it: it runs the worker's script.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(address) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "search";
      document.body.append(this.frame);
      const inside = this.frame.contentWindow;
      const script = inside.document.createElement("script");
      script.src = address;
      // the worker answers with postMessage, which a frame sends to itself
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.ready = new Promise((resolve) => script.addEventListener("load", resolve));
      inside.document.head.append(script);
    }

    postMessage(data) {
      this.ready.then(() =>
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })),
      );
    }

    terminate() {
      this.frame.remove();
    }
  };
  window.Worker = window.IFrameWorker;
}
