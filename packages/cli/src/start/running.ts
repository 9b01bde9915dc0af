interface Part {
  close(): Promise<void>
}

/** What was started, to be stopped last first: the service may still have something to say to the simulator. */
export class Running {
  readonly #parts: Part[] = []
  readonly stopped: Promise<void>
  /** What fails from now on fails because it was asked to end. */
  interrupted = false
  /** Stops everything because one part cannot go on; `stopped` fails with the reason. */
  fail: (reason: Error) => void = () => {}

  constructor() {
    this.stopped = new Promise((resolve, reject) => {
      this.fail = (reason) => {
        const tell = () => reject(reason)
        // What ends in disorder now follows from it.
        this.close().then(tell, tell)
      }
      // SIGHUP: the terminal was closed.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.once(signal, () => {
          this.interrupted = true
          // A second Ctrl-C does not wait.
          process.once(signal, () => process.exit(130))
          this.close().then(resolve, reject)
        })
      }
    })
    // While everything starts, nobody waits for it yet.
    this.stopped.catch(() => {})
  }

  add(part: Part): void {
    this.#parts.push(part)
  }

  async close(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part.close()
  }
}
