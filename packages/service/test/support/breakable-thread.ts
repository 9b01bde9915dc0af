import { parentPort, threadId } from 'node:worker_threads'
import type { PdfAnswer, PdfWanted } from '../../src/document/pdf-thread.ts'

/** Writes which thread it is; asked to, it breaks. */
parentPort?.on('message', ({ number, document }: PdfWanted) => {
  if (document.title === 'break') throw new Error('It was asked to.')
  parentPort?.postMessage({ number, pdf: Buffer.from(`${threadId}`) } satisfies PdfAnswer)
})
