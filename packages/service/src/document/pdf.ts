import { Worker } from 'node:worker_threads'
import { Problem } from '@lockstep/core/problem'
import type { PdfAnswer, PdfWanted } from './pdf-thread.ts'
import type { PrintedDocument } from './printed.ts'

/** So many are written or wait; whoever comes beyond them would wait for minutes, and is turned away. */
const MOST_WAITING = 32

/**
 * A document as a PDF with its fonts inside, so that it looks and prints the same everywhere. Written by a thread of its
 * own: laying out the hundreds of lines of an annex takes seconds, and whoever else is asked meanwhile must not wait.
 */
export const documentPdf = pdfWriter(new URL('./pdf-thread.ts', import.meta.url))

export type PdfWriter = (document: PrintedDocument) => Promise<Uint8Array>

/** Its thread is begun by the first who asks, for all who come after, and again by the first after it broke. */
export function pdfWriter(file: URL): PdfWriter {
  let thread: PdfThread | undefined
  return async (document) => {
    // One that breaks says so, and then that it ended: by then another may be at work.
    thread ??= startThread(file, (ended) => {
      if (thread === ended) thread = undefined
    })
    return thread.write(document)
  }
}

interface PdfThread {
  readonly write: PdfWriter
}

type Waiting = PromiseWithResolvers<Uint8Array>

function startThread(file: URL, onEnd: (ended: PdfThread) => void): PdfThread {
  const worker = new Worker(file)
  const waiting = new Map<number, Waiting>()
  let count = 0

  const settle = (number: number, how: (one: Waiting) => void) => {
    const one = waiting.get(number)
    waiting.delete(number)
    // A process that has nothing else to do ends.
    if (waiting.size === 0) worker.unref()
    if (one) how(one)
  }
  worker.on('message', (answer: PdfAnswer) => {
    settle(answer.number, ({ resolve, reject }) => {
      if ('pdf' in answer) resolve(answer.pdf)
      else reject(new Error(`No PDF could be written: ${answer.problem}`))
    })
  })
  const end = (why: string) => {
    onEnd(thread)
    for (const number of [...waiting.keys()]) settle(number, ({ reject }) => reject(new Error(why)))
  }
  worker.on('error', (error) => end(`The thread that writes PDFs broke: ${error}`))
  worker.on('exit', () => end('The thread that writes PDFs ended.'))

  const thread: PdfThread = {
    write: async (document) => {
      if (waiting.size >= MOST_WAITING)
        throw new Problem('overloaded', 'Too many documents wait to be written.', { retryAfterSeconds: 5 })
      const one = Promise.withResolvers<Uint8Array>()
      count += 1
      waiting.set(count, one)
      worker.ref()
      worker.postMessage({ number: count, document } satisfies PdfWanted)
      return one.promise
    },
  }
  return thread
}
