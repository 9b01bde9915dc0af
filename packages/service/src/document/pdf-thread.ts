import { parentPort } from 'node:worker_threads'
import type { PrintedDocument } from './printed.ts'
import { loadRenderer } from './render-pdf.ts'

/** What the thread is asked, and what it answers under the same number. */
export interface PdfWanted {
  readonly number: number
  readonly document: PrintedDocument
}

export type PdfAnswer = { readonly number: number } & (
  | { readonly pdf: Uint8Array }
  | { readonly problem: string }
)

const loading = loadRenderer()

parentPort?.on('message', ({ number, document }: PdfWanted) => {
  const answer = (said: PdfAnswer) => parentPort?.postMessage(said)
  loading
    .then((render) => render(document))
    .then(
      (pdf) => answer({ number, pdf }),
      (error: unknown) => answer({ number, problem: String(error) }),
    )
})
