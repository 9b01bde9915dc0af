import { expect, test } from 'vitest'
import { pdfWriter } from '../src/document/pdf.ts'

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
