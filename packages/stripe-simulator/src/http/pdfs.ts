import type { FastifyInstance } from 'fastify'
import type { InvoiceRow } from '../rows.ts'
import { formatMoney } from '../rules/currency.ts'
import type { World } from '../world.ts'

/** Invoices and credit notes as PDF, as plain as can be: a title, the lines, the total. */
export function addPdfs(app: FastifyInstance, world: World): void {
  app.get('/_simulator/invoices/:id/pdf', (request, reply) => {
    const invoice = world.invoices.get((request.params as { id: string }).id)
    if (invoice === undefined) return reply.code(404).send()
    return reply.type('application/pdf').send(Buffer.from(pdf(rowsOf(invoice)), 'latin1'))
  })
  app.get('/_simulator/credit_notes/:id/pdf', (request, reply) => {
    const note = world.creditNotes.get((request.params as { id: string }).id)
    if (note === undefined) return reply.code(404).send()
    const money = (amount: number) => formatMoney(String(amount), note.currency)
    const rows = [
      `Credit note ${note.number}, ${note.status}`,
      ...note.own.lines.map((line) => `${line.description ?? line.id}: ${money(line.amount)}`),
      `Total ${money(note.total)}`,
    ]
    return reply.type('application/pdf').send(Buffer.from(pdf(rows), 'latin1'))
  })
}

function rowsOf(invoice: InvoiceRow): string[] {
  const money = (amount: number) => formatMoney(String(amount), invoice.currency)
  return [
    `Invoice ${invoice.number ?? invoice.id}, ${invoice.status}`,
    `For ${invoice.customer_name ?? invoice.customer_email ?? invoice.customer}`,
    ...invoice.own.lines.map((line) => `${line.description ?? line.id}: ${money(line.amount)}`),
    `Total ${money(invoice.total)}, due ${money(invoice.amount_remaining)}`,
  ]
}

/** A PDF of one page and one font, with the cross-reference table that readers insist on. */
function pdf(rows: readonly string[]): string {
  const shown = rows.slice(0, 45).map((row) => `(${ascii(row)}) Tj T*`)
  const stream = `BT /F1 11 Tf 14 TL 50 780 Td ${shown.join(' ')} ET`
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ]
  let body = '%PDF-1.4\n'
  const offsets = objects.map((object, i) => {
    const at = body.length
    body += `${i + 1} 0 obj\n${object}\nendobj\n`
    return at
  })
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')
  return `${body}xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`
}

/** The standard font knows no other letters; signs of PDF strings are escaped. */
function ascii(text: string): string {
  return text
    .replaceAll('×', 'x')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/[\\()]/g, '\\$&')
}
