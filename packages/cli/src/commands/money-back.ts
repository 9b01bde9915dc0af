import type { CreditNote, CreditNotePreview, Money, Refund, RefundPreview } from '@lockstep/sdk'
import { type Command, Option } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { amountText } from '../output/format.ts'
import { bold, dim, green, yellow } from '../output/style.ts'
import { UsageError } from '../usage-error.ts'

interface Asked {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

type RefundReason = 'duplicate' | 'fraudulent' | 'requested_by_customer'
type CreditReason = 'duplicate' | 'fraudulent' | 'order_change' | 'product_unsatisfactory'
type WayBack = 'refund' | 'balance' | 'outOfBand'

/** `invoices refund` and `invoices credit`: shown first, done after asking. */
export function addMoneyBack(invoices: Command): void {
  asked(invoices.command('refund').description('give back what was paid for an invoice'))
    .addOption(
      new Option('--reason <why>', "the provider's word for why").choices([
        'duplicate',
        'fraudulent',
        'requested_by_customer',
      ]),
    )
    .action(
      async (
        id: string,
        amount: string | undefined,
        { reason, ...how }: Asked & { reason?: RefundReason },
        command: Command,
      ) => {
        const { client, output } = contextOf(command)
        const preview = await client.invoices.previewRefund(id, given({ amount, reason }))
        if (how.dryRun || !output.json) output.result(preview, refundPreviewText)
        if (how.dryRun) return
        const named = { ...given({ reason }), amount: preview.amount.amount }
        await sure(how, preview.amount, `Give back ${text(preview.amount)}?`)
        output.result(await client.invoices.refund(id, named), refundText)
      },
    )
  asked(invoices.command('credit').description('take an amount off a final invoice'))
    .addOption(
      new Option('--paid-part <way>', 'where the part goes that was paid')
        .choices(['refund', 'balance', 'outOfBand'])
        .default('refund'),
    )
    .addOption(
      new Option('--reason <why>', "the provider's word for why").choices([
        'duplicate',
        'fraudulent',
        'order_change',
        'product_unsatisfactory',
      ]),
    )
    .action(
      async (
        id: string,
        amount: string | undefined,
        { reason, paidPart, ...how }: Asked & { reason?: CreditReason; paidPart: WayBack },
        command: Command,
      ) => {
        const { client, output } = contextOf(command)
        const wanted = { ...given({ reason }), paidPart }
        const preview = await client.invoices.previewCreditNote(id, { ...wanted, ...given({ amount }) })
        if (how.dryRun || !output.json) output.result(preview, creditPreviewText)
        if (how.dryRun) return
        await sure(how, preview.total, `Credit ${text(preview.total)}?`)
        const named = { ...wanted, amount: preview.total.amount }
        output.result(await client.invoices.credit(id, named), creditText)
      },
    )
}

function asked(command: Command): Command {
  return command
    .argument('<invoice>', "an invoice's id")
    .argument('[amount]', 'in major units, like 9.00; all there is unless given')
    .option('--dry-run', 'only say what would be done')
    .option('--yes', "don't ask")
}

/** What was not said is left out. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never
}

async function sure({ yes }: Asked, amount: Money, question: string): Promise<void> {
  if (amount.minor === '0') throw new UsageError('There is nothing to give back.', 'Nothing was changed.')
  if (!yes) await confirm(question)
}

const text = (amount: Money) => `${amountText(amount)} ${amount.currency}`

function refundPreviewText({ amount, left, creditedSince }: RefundPreview): string {
  const credited = creditedSince.minor === '0' ? '' : `\n  credited since by a change  ${text(creditedSince)}`
  return `${yellow('Would give back')} ${bold(text(amount))}${dim(`, leaving ${text(left)} that could be`)}${credited}`
}

function refundText({ id, amount, status }: Refund): string {
  return `${green('✓')} ${text(amount)} given back: ${status}  ${dim(id)}`
}

function creditPreviewText({ total, left, ...parts }: CreditNotePreview): string {
  return [
    `${yellow('Would credit')} ${bold(text(total))}${dim(`, leaving ${text(left)} that could be`)}`,
    ...partsOf(parts),
  ].join('\n')
}

function creditText({ id, number, total, status, ...parts }: CreditNote): string {
  return [
    `${green('✓')} ${text(total)} credited: ${status}  ${number ?? ''} ${dim(id)}`,
    ...partsOf(parts),
  ].join('\n')
}

function partsOf(parts: Pick<CreditNote, 'prePayment' | 'refunded' | 'credited' | 'outOfBand'>): string[] {
  const words = [
    ['off what is to be paid', parts.prePayment],
    ['given back', parts.refunded],
    ['on the balance', parts.credited],
    ['outside the provider', parts.outOfBand],
  ] as const
  return words
    .filter(([, amount]) => amount.minor !== '0')
    .map(([what, amount]) => `  ${what.padEnd(24)} ${text(amount)}`)
}
