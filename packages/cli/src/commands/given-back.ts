import type { CreditNote, Money, Refund } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { table } from '../output/table.ts'
import { firstOf } from './arguments.ts'

/** More than there are of any invoice; the newest ones. */
const MOST = 200

/** `invoices refunds` and `invoices credit-notes`: what was given back of an invoice, whoever did it. */
export function addGivenBack(invoices: Command): void {
  invoices
    .command('refunds')
    .description('what was paid back of an invoice, here or at the provider; newest first')
    .argument('<invoice>', "an invoice's id")
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await firstOf(client.invoices.refunds(id), MOST), refundTable)
    })
  invoices
    .command('credit-notes')
    .description('what was taken off a final invoice, here or at the provider; newest first')
    .argument('<invoice>', "an invoice's id")
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await firstOf(client.invoices.creditNotes(id), MOST), creditNoteTable)
    })
}

function refundTable(refunds: Refund[]): string {
  return table(refunds, [
    { title: 'made', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'amount', cell: ({ amount }) => text(amount), align: 'right' },
    {
      title: 'status',
      cell: ({ status, failureReason }) => [status, failureReason].filter(Boolean).join(': '),
    },
    { title: 'why', cell: ({ reason }) => reason ?? '' },
    { title: 'credit note', cell: ({ creditNote }) => creditNote ?? '' },
    { title: 'id', cell: ({ id }) => id },
  ])
}

function creditNoteTable(notes: CreditNote[]): string {
  return table(notes, [
    { title: 'made', cell: ({ createdAt }) => instantText(createdAt) },
    { title: 'amount', cell: ({ total }) => text(total), align: 'right' },
    { title: 'not to pay', cell: ({ prePayment }) => part(prePayment), align: 'right' },
    { title: 'paid back', cell: ({ refunded }) => part(refunded), align: 'right' },
    { title: 'on the balance', cell: ({ credited }) => part(credited), align: 'right' },
    { title: 'outside', cell: ({ outOfBand }) => part(outOfBand), align: 'right' },
    { title: 'status', cell: ({ status }) => status },
    { title: 'number', cell: ({ number }) => number ?? '' },
    { title: 'id', cell: ({ id }) => id },
    { title: 'PDF', cell: ({ pdf }) => pdf ?? '' },
  ])
}

const text = (amount: Money) => `${amountText(amount)} ${amount.currency}`

const part = (amount: Money) => (amount.minor === '0' ? '' : amountText(amount))
