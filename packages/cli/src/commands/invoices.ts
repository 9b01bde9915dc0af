import { writeFile } from 'node:fs/promises'
import type { Invoice } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { amountText, billedText } from '../output/format.ts'
import { invoiceText } from '../output/invoice-text.ts'
import { bold, dim, green } from '../output/style.ts'
import { table } from '../output/table.ts'
import { unpaidTexts } from '../output/unpaid-text.ts'
import { addAdjustments } from './adjustments.ts'
import { firstOf, parseCount } from './arguments.ts'
import { addExplanation } from './explain-line.ts'
import { addGivenBack } from './given-back.ts'
import { addMoneyBack } from './money-back.ts'

export function addInvoices(program: Command): void {
  const invoices = program.command('invoices').description('what customers owe')
  invoices
    .command('show')
    .description("a customer's current invoice, or one by its id")
    .argument('<customer>', "a customer's id or your own id of it, or an invoice's id")
    .option('--explain', 'say for every line how its amount came about')
    .action(async (what: string, { explain = false }: { explain?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      if (what.startsWith('invoice_')) {
        return output.result(await client.invoices.read(what), (invoice) => invoiceText(invoice, { explain }))
      }
      const { id } = await findCustomer(client, what)
      output.result(await client.customers.billing(id), ({ customer, subscriptions, openInvoices }) => {
        const { externalId, name } = customer
        const head = name ? `${bold(name)} ${dim(externalId)}` : bold(externalId)
        const parts = subscriptions.flatMap(({ subscription, currentInvoice, closingInvoices }) => [
          `${head}  ${subscription.plan}, ${subscription.status}`,
          ...[...closingInvoices, ...(currentInvoice ? [currentInvoice] : [])].map((invoice) =>
            invoiceText(invoice, { explain }),
          ),
        ])
        const shown = parts.length === 0 ? `${head}  has no subscription` : parts.join('\n\n')
        return [shown, ...unpaidTexts(openInvoices)].join('\n')
      })
    })
  addExplanation(invoices)
  invoices
    .command('annex')
    .description('how every amount of a final invoice came about, as a PDF')
    .argument('<invoice>', "an invoice's id")
    .argument('<file>', 'where to write it')
    .action(async (id: string, file: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      await writeFile(file, await client.invoices.annex(id))
      output.result({ written: [file] }, () => `${green('✓')} ${file}`)
    })
  addAdjustments(invoices)
  addMoneyBack(invoices)
  addGivenBack(invoices)
  invoices
    .command('list')
    .description("a customer's invoices, newest first")
    .argument('<customer>', "a customer's id, or your own id of it")
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (what: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      const list = client.invoices.list({ customer: id, limit: Math.min(limit, 100) })
      output.result(await firstOf(list, limit), invoiceTable)
    })
}

function invoiceTable(invoices: Invoice[]): string {
  return table(invoices, [
    { title: 'period', cell: ({ period }) => billedText(period) },
    { title: 'status', cell: ({ status }) => status },
    { title: 'total', cell: ({ total }) => (total ? amountText(total) : '–'), align: 'right' },
    { title: '', cell: ({ currency }) => currency },
    { title: 'number', cell: ({ number }) => number ?? '' },
    { title: 'id', cell: ({ id }) => id },
    { title: 'provider', cell: ({ providerId }) => providerId ?? '' },
  ])
}
