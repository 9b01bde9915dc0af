import { expect, test } from 'vitest'
import { documentPdf, pdfWriter } from '../src/document/pdf.ts'
import { textOfPdf } from './support/pdf-text.ts'

const document = (title: string) => ({ title, subtitle: '', sections: [], footer: [] })
const newWriter = () => {
  const write = pdfWriter(new URL('./support/breakable-thread.ts', import.meta.url))
  return async (title: string) => Buffer.from(await write(document(title))).toString()
}

test('a thread that broke is followed by one, which its end does not take away', async () => {
  const write = newWriter()
  await expect(write('break')).rejects.toThrow('The thread that writes PDFs broke')
  const next = await write('a')
  // By the time that another thread has answered, the one that broke has ended.
  expect(await newWriter()('b')).not.toBe(next)
  expect(await write('c')).toBe(next)
})

test('whoever comes when many wait already is told to come again, and the others are served', async () => {
  const write = newWriter()
  const asked = await Promise.allSettled(Array.from({ length: 40 }, (_, i) => write(`${i}`)))
  const refused = asked.filter(({ status }) => status === 'rejected')
  expect(refused).toHaveLength(8)
  for (const one of refused)
    expect(one).toMatchObject({ reason: { code: 'overloaded', status: 503, retryAfterSeconds: 5 } })
  expect(await write('again')).not.toBe('')
})

test('what the font does not have is a sign of its own, and a long word gets no hyphen', async () => {
  const address = `${'a'.repeat(60)}@${'b'.repeat(60)}.example`
  const rows = [['Customer', ['東京 Ada', address]]] as const
  const paper = { title: 'Łódź', subtitle: '', sections: [{ title: 'Parties', rows }], footer: ['The end.'] }
  const text = textOfPdf(await documentPdf(paper))
  expect(text).toContain(`Customer□□Ada${address}`)
  expect(text).toMatch(/Theend\.□standsforwhatthefontofthisprintdoesnothave\./)
  const known = { ...paper, sections: [] }
  expect(textOfPdf(await documentPdf(known))).not.toContain('□')
})
