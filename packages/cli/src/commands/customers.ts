import type { BillingOverview, Customer, CustomerDeletion, Erasure } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { amountText, instantText, periodText, timesText } from '../output/format.ts'
import { dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { unpaidTexts } from '../output/unpaid-text.ts'
import { CUSTOMER, firstOf, parseCount } from './arguments.ts'

interface NewCustomer {
  readonly name?: string
  readonly email?: string
  readonly testClock?: string
}

export function addCustomers(program: Command): void {
  const customers = program.command('customers').description('who pays')
  customers
    .command('list')
    .description('customers, newest first')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(
        await firstOf(client.customers.list({ limit: Math.min(limit, 100) }), limit),
        customerTable,
      )
    })
  customers
    .command('show')
    .description('who a customer is, and what runs')
    .argument('<customer>', CUSTOMER)
    .action(async (what: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      output.result(await client.customers.billing(id), overviewText)
    })
  customers
    .command('create')
    .description('a customer without a subscription; registering makes one by itself')
    .argument('<external id>', 'your own id of the user who pays')
    .option('--name <name>')
    .option('--email <address>')
    .option('--test-clock <id>', 'put the customer on this test clock')
    .action(async (externalId: string, { name, email, testClock }: NewCustomer, command: Command) => {
      const { client, output } = contextOf(command)
      const made = await client.customers.create({ externalId, name, email, testClock })
      output.result(made, ({ id }) => `${green('✓')} ${externalId}  ${id}`)
    })
  customers
    .command('erase')
    .description('erase who a customer is, for good; contracts and invoices stay')
    .argument('<customer>', CUSTOMER)
    .option('--dry-run', 'only say what would be erased')
    .option('--yes', "don't ask")
    .action(async (what: string, { dryRun, yes }: { dryRun?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id, externalId } = await findCustomer(client, what)
      if (dryRun) return output.result(await client.customers.erase(id), erasureText)
      if (!yes) {
        const found = await client.customers.erase(id)
        if (!output.json) output.result(found, erasureText)
        await confirm(`Erase who ${externalId} is? Nobody can bring it back.`)
      }
      output.result(await client.customers.erase(id, { dryRun: false }), erasureText)
    })
  customers
    .command('delete')
    .description('end what a customer has now, giving nothing back, then erase who it is')
    .argument('<customer>', CUSTOMER)
    .option('--dry-run', 'only say what would be ended')
    .option('--yes', "don't ask")
    .action(async (what: string, { dryRun, yes }: { dryRun?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id, externalId } = await findCustomer(client, what)
      if (dryRun) return output.result(await client.customers.billing(id), overviewText)
      if (!yes) {
        const runs = await client.customers.billing(id)
        if (!output.json) output.result(runs, overviewText)
        await confirm(`End all of this now, and erase who ${externalId} is? Nobody can bring it back.`)
      }
      output.result(await client.customers.delete(id), deletionText)
    })
}

function deletionText({ ended, state }: CustomerDeletion): string {
  return [
    state === 'erased' ? `${green('✓')} Erased.` : yellow('Erased by itself when the last invoice is final.'),
    ...ended.map((id) => `ended  ${id}`),
  ].join('\n')
}

function erasureText({ dryRun, erased, remains, provider, paymentMethods }: Erasure): string {
  const counted = Object.entries(erased).map(([what, count]) => `  ${what.padEnd(14)} ${count}`)
  const there = { told: 'gone', queued: 'will be told' }
  return [
    dryRun ? yellow('Would be erased:') : `${green('✓')} Erased:`,
    ...counted,
    ...(provider === null ? [] : [`  ${'at provider'.padEnd(14)} name and address ${there[provider]}`]),
    ...(paymentMethods?.found ?? []).map(({ id, type }) => `  ${'to detach'.padEnd(14)} ${id}, ${type}`),
    ...(paymentMethods?.waitsFor ?? []).map((id) => `  ${'  not before'.padEnd(14)} ${id} is settled`),
    dim('Remains:'),
    ...remains.map(({ what, count, why }) => `  ${count === null ? '' : `${count} `}${what}: ${dim(why)}`),
  ].join('\n')
}

function overviewText({ customer, subscriptions, openInvoices }: BillingOverview): string {
  const { externalId, id, name, email, currency, testClock, createdAt } = customer
  const facts = [
    ['name', name],
    ['e-mail', email],
    ['pays in', currency],
    ['provider', placeText(customer)],
    ['test clock', testClock],
    ['since', instantText(createdAt)],
  ].flatMap(([what, value]) => (value == null ? [] : [`${what?.padEnd(10)}  ${value}`]))
  const runs = table(subscriptions, [
    { title: 'plan', cell: ({ subscription: { plan, quantity } }) => `${plan}${timesText(quantity)}` },
    { title: 'status', cell: ({ subscription: { status } }) => status },
    { title: 'period', cell: ({ subscription: { currentPeriod } }) => periodText(currentPeriod) },
    {
      title: 'next invoice',
      align: 'right',
      cell: ({ currentInvoice: next }) => (next?.total ? `${amountText(next.total)} ${next.currency}` : '–'),
    },
    { title: 'id', cell: ({ subscription }) => subscription.id },
  ])
  return [`${externalId}  ${dim(id)}`, ...facts, '', runs, ...unpaidTexts(openInvoices)].join('\n')
}

/** Where a customer stands at the provider. */
function placeText({ providerId, deletedAtProvider }: Customer): string {
  if (providerId !== null) return providerId
  // A service of before does not say it.
  return deletedAtProvider ? yellow(`deleted there ${instantText(deletedAtProvider)}`) : 'not there yet'
}

function customerTable(customers: Customer[]): string {
  return table(customers, [
    { title: 'customer', cell: ({ externalId }) => externalId },
    { title: 'name', cell: ({ name }) => name ?? '' },
    { title: 'id', cell: ({ id }) => id },
    {
      title: 'provider',
      cell: (one) => (one.providerId === null && !one.deletedAtProvider ? '–' : placeText(one)),
    },
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'test clock', cell: ({ testClock }) => testClock ?? '' },
  ])
}
