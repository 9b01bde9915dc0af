import { Worker } from 'node:worker_threads'
import type { PdfAnswer, PdfWanted } from './pdf-thread.ts'
import type { PrintedDocument } from './printed.ts'

/** Begun by the first who asks, for all who come after. */
let thread: PdfThread | undefined

/**
 * A document as a PDF with its fonts inside, so that it looks and prints the same everywhere. Written by a thread of its
 * own: laying out the hundreds of lines of an annex takes seconds, and whoever else is asked meanwhile must not wait.
 */
export function documentPdf(document: PrintedDocument): Promise<Uint8Array> {
  thread ??= startThread(() => {
    thread = undefined
  })
  return thread.write(document)
}

interface PdfThread {
  write(document: PrintedDocument): Promise<Uint8Array>
}

type Waiting = PromiseWithResolvers<Uint8Array>

function startThread(onEnd: () => void): PdfThread {
  const worker = new Worker(new URL('./pdf-thread.ts', import.meta.url))
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
    onEnd()
    for (const number of [...waiting.keys()]) settle(number, ({ reject }) => reject(new Error(why)))
  }
  worker.on('error', (error) => end(`The thread that writes PDFs broke: ${error}`))
  worker.on('exit', () => end('The thread that writes PDFs ended.'))

  return {
    write(document) {
      const one = Promise.withResolvers<Uint8Array>()
      count += 1
      waiting.set(count, one)
      worker.ref()
      worker.postMessage({ number: count, document } satisfies PdfWanted)
      return one.promise
    },
  }
}
