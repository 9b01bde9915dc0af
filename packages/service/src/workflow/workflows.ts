import { newHolder } from '../postgres/presence.ts'
import {
  claimWorkflow,
  dueWorkflows,
  hasStopped,
  readWorkflow,
  type Word,
  type Workflow,
  type Written,
} from '../store/workflows.ts'
import { type JournalDeps, runWorkflow, type WorkflowKind } from './journal.ts'

export interface Workflows {
  /** Runs a workflow that was added with this holder, right after its transaction. */
  begin(id: string, holder: string): void
  /** The same by what the transaction wrote, which then is not read again. */
  beginAs(written: Written): void
  /**
   * Goes on with one that stopped, on a person's word also if it is parked or waits for the customer. The
   * customer's word goes on with nothing but what waits for it.
   */
  resume(id: string, word?: Word): Promise<void>
  /** Goes on with every one whose process died or whose time has come; resolves with how many when those have stopped. */
  resumeDue(): Promise<number>
  /** When this process runs it no more, however it stopped; at once where it does not. */
  stopped(id: string): Promise<void>
  /** How it stands when it has ended or waits for the customer, or after so many seconds. */
  settled(id: string, seconds: number): Promise<Workflow>
  /** The same, by what is read of it instead. */
  settledAs<T>(
    id: string,
    seconds: number,
    read: () => Promise<T>,
    isSettled: (read: T) => boolean,
  ): Promise<T>
  /** Looks for work every few seconds until closed. */
  watch(): void
  /** Lets what is under way reach its end, for some seconds. What does not is resumed next time. */
  close(): Promise<void>
}

/** A person waits this long for what was begun; it goes on by itself afterwards. */
export const PATIENCE_SECONDS = 20
/** With the lease of a run less than ten seconds: so soon is gone on with what a host left that vanished. */
export const WATCH_MS = 2000
const AT_ONCE = 8
const LOOK_MS = 100
const CLOSE_MS = 6000

/** Runs workflows of the given kinds. Those of other kinds, of a newer version perhaps, are left alone. */
export function makeWorkflows(deps: JournalDeps, kinds: readonly WorkflowKind[]): Workflows {
  const { db, log } = deps
  const byName = new Map(kinds.map((kind) => [kind.kind, kind]))
  const running = new Map<string, Promise<void>>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function track(id: string, run: () => Promise<void>): Promise<void> {
    const known = running.get(id)
    if (known) return known
    const promise = run()
      .catch((error: unknown) => log.error({ err: error, workflow: id }, 'A workflow could not be recorded.'))
      .finally(() => running.delete(id))
    running.set(id, promise)
    return promise
  }

  /** Whether there was something to go on with: what was due when looked for may have ended meanwhile. */
  async function take(id: string, options: { word?: Word } = {}): Promise<boolean> {
    const holder = newHolder()
    const workflow = await claimWorkflow(db, id, holder, options)
    const kind = workflow && byName.get(workflow.kind)
    if (!workflow || !kind) return false
    await runWorkflow(deps, kind, workflow, holder)
    return true
  }

  async function resumeDue(): Promise<number> {
    const underWay = new Set<Promise<void>>()
    let count = 0
    for (;;) {
      const free = closed ? 0 : AT_ONCE - underWay.size
      const due = free === 0 ? [] : await dueWorkflows(db, [...byName.keys()], AT_ONCE)
      for (const id of due.filter((one) => !running.has(one)).slice(0, free)) {
        const run: Promise<void> = track(id, async () => {
          if (await take(id)) count += 1
        }).finally(() => underWay.delete(run))
        underWay.add(run)
      }
      if (underWay.size === 0) return count
      // One that takes its time holds nobody up: the others go on, and what comes due meanwhile.
      await Promise.race([...underWay, soon(WATCH_MS)])
    }
  }

  async function settledAs<T>(
    id: string,
    seconds: number,
    read: () => Promise<T>,
    isSettled: (read: T) => boolean,
  ): Promise<T> {
    const deadline = performance.now() + seconds * 1000
    let wait = 0
    for (;;) {
      const left = deadline - performance.now()
      // Another process may be the one that runs it: look now and then.
      await Promise.race([running.get(id), soon(running.has(id) ? left : Math.min(left, wait))])
      const found = await read()
      if (isSettled(found) || deadline <= performance.now()) return found
      wait = LOOK_MS
    }
  }

  // At once after a start: what the last process left is waiting.
  function watch(waitMs = 0): void {
    timer = setTimeout(() => {
      resumeDue()
        .catch((error: unknown) => log.warn({ err: error }, 'Workflows could not be looked for.'))
        .finally(() => closed || watch(WATCH_MS))
    }, waitMs)
  }

  return {
    begin(id, holder) {
      void track(id, async () => {
        const workflow = await readWorkflow(db, id)
        const kind = workflow && byName.get(workflow.kind)
        if (workflow && kind) await runWorkflow(deps, kind, workflow, holder)
      })
    },
    beginAs({ workflow, steps }) {
      const kind = byName.get(workflow.kind)
      const { leaseHolder: holder } = workflow
      if (kind && holder !== null)
        void track(workflow.id, () => runWorkflow(deps, kind, workflow, holder, steps))
    },
    async resume(id, word = 'person') {
      // A run that is just ending may not have heard why it is to go on.
      await running.get(id)
      await track(id, async () => {
        await take(id, { word })
      })
    },
    resumeDue,
    async stopped(id) {
      await running.get(id)
    },
    settled: (id, seconds) =>
      settledAs(
        id,
        seconds,
        async () => {
          const workflow = await readWorkflow(db, id)
          if (!workflow) throw new Error(`There is no workflow ${id}.`)
          return workflow
        },
        ({ state }) => hasStopped(state),
      ),
    settledAs,
    watch: () => watch(),
    async close() {
      closed = true
      clearTimeout(timer)
      await Promise.race([Promise.all(running.values()), soon(CLOSE_MS)])
    },
  }
}

const soon = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
