// Follows one screen. Says when a document came, and when the connection is lost; comes back by itself.

const RETRY_MS = 3000;

export class Stream {
  #source = null;
  #timer = 0;
  #query = "";

  constructor({ onDocument, onLost, onSignIn }) {
    this.onDocument = onDocument;
    this.onLost = onLost;
    this.onSignIn = onSignIn;
    // A page in the background holds no connection: browsers give few of them to one address.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
  }

  follow(query) {
    this.#query = new URLSearchParams(query).toString();
    this.#open();
  }

  #open() {
    this.#close();
    const source = (this.#source = new EventSource(`/api/stream?${this.#query}`));
    source.onmessage = (event) => this.onDocument(JSON.parse(event.data));
    source.onerror = () => {
      this.onLost("Connection lost, trying again");
      // The browser tries again by itself, but for an answer that is no stream.
      if (source.readyState === EventSource.CLOSED) this.#refused();
    };
  }

  async #refused() {
    this.#close();
    this.#timer = setTimeout(() => this.#open(), RETRY_MS);
    try {
      const answer = await fetch(`/api/stream?${this.#query}`, { signal: AbortSignal.timeout(RETRY_MS) });
      if (answer.status === 401) this.onSignIn();
      else if (answer.status === 503) this.onLost(`${(await answer.json()).reason}; trying again`);
    } catch {
      // Nobody answers, as was said.
    }
  }

  #close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }
}
