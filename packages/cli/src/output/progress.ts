import { Listr, ListrLogger, type ListrTask, ProcessOutput } from 'listr2'

export type Report = (text: string) => void

export interface Step {
  readonly title: string
  /** What it answers is shown behind its title when it is done. */
  readonly run: (report: Report) => Promise<string | undefined>
}

const PLAIN_REPORT_EVERY_SECONDS = 5

/**
 * Does long work step by step and tells how far it is: on a terminal in place, elsewhere as a line
 * now and then. On stderr, so that results can be piped.
 */
export async function runSteps(steps: readonly Step[], { json = false } = {}): Promise<void> {
  const interactive = isSeen() && !json
  let failure: { error: unknown } | undefined
  const tasks: ListrTask[] = steps.map(({ title, run }) => ({
    title,
    task: async (_, task) => {
      const report: Report = (text) => {
        task.output = text
      }
      try {
        const outcome = await run(interactive ? report : seldom(report, PLAIN_REPORT_EVERY_SECONDS))
        if (outcome) task.title = `${title}: ${outcome}`
      } catch (error) {
        // Told once, in full, by whoever catches it; here it only ends the list.
        failure = { error }
        throw new Error('')
      }
    },
  }))
  await listrOf(tasks, json ? 'silent' : interactive ? 'default' : 'simple')
    .run()
    .catch((error: unknown) => {
      throw failure ? failure.error : error
    })
}

/**
 * Whether it can be told in place: both streams end at a terminal that knows its width. Where results are piped, Listr
 * would tell it among them; where the width is 0 (a recording, a container) it would put each letter on a line.
 */
function isSeen(): boolean {
  return [process.stdout, process.stderr].every((stream) => stream.isTTY && stream.columns > 0)
}

function listrOf(tasks: ListrTask[], renderer: 'silent' | 'default' | 'simple') {
  // How to end is not for a progress display to say: there may be something to save.
  const options = { registerSignalListeners: false }
  if (renderer === 'silent') return new Listr(tasks, { ...options, renderer })
  const processOutput = new ProcessOutput(process.stderr, process.stderr)
  const logger = new ListrLogger<string>({ useIcons: true, processOutput })
  if (renderer === 'simple') return new Listr(tasks, { ...options, renderer, rendererOptions: { logger } })
  return new Listr(tasks, { ...options, renderer, rendererOptions: { logger, showErrorMessage: false } })
}

/** Long work of one step, whose result is wanted. */
export async function withProgress<T>(
  title: string,
  work: (report: Report) => Promise<{ result: T; summary: string }>,
  options: { json?: boolean } = {},
): Promise<T> {
  let done: { result: T } | undefined
  const run = async (report: Report) => {
    const { result, summary } = await work(report)
    done = { result }
    return summary
  }
  await runSteps([{ title, run }], options)
  return (done as unknown as { result: T }).result
}

/** Passes on one text in so many seconds; a log file needs no more. */
function seldom(report: Report, everySeconds: number): Report {
  let last = performance.now()
  return (text) => {
    const now = performance.now()
    if (now - last < everySeconds * 1000) return
    last = now
    report(text)
  }
}
