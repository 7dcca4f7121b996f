// Updates a page: the latest state wins, and slow work waits until nothing moves.

const REST = 100; // milliseconds without a request after which slow work begins

// show() and settle() are asynchronous generators. Each `yield` is a place where their work is dropped if a newer state
// was requested meanwhile; settle() begins once show() is through and nothing has been requested for a while.
export class Updater {
  constructor(show, settle, fail) {
    Object.assign(this, { show, settle, fail, wanted: 0, running: false, wake: () => {} });
  }

  request() {
    this.wanted++;
    this.wake();
    if (this.running) return;
    this.running = true;
    this.run();
  }

  async run() {
    for (let now = -1; now !== this.wanted; ) {
      now = this.wanted;
      const isLatest = () => now === this.wanted;
      if (!(await this.finish(this.show, isLatest))) continue;
      await this.rest();
      if (isLatest()) await this.finish(this.settle, isLatest);
    }
    this.running = false;
  }

  // Whether the work came to its end.
  async finish(work, isLatest) {
    try {
      for await (const _ of work()) if (!isLatest()) return false;
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  rest() {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, REST);
    });
  }
}

// What was computed last, by key.
export class Cache {
  constructor(most) {
    Object.assign(this, { most, found: new Map() });
  }

  // The value of a key, from compute() where it is not there yet.
  async get(key, compute) {
    const value = this.found.get(key) ?? (await compute());
    this.found.delete(key); // so that it comes last
    this.found.set(key, value);
    if (this.found.size > this.most) this.found.delete(this.found.keys().next().value);
    return value;
  }

  has(key) {
    return this.found.has(key);
  }
}
