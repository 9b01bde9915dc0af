import type { Client, SyncPlan, SyncStatus } from '@lockstep/sdk'
import { ConnectionError, ProblemError } from '@lockstep/sdk/problem-error'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { amountText, instantText, secondsText } from '../output/format.ts'
import { dim, green, yellow } from '../output/style.ts'
import { table } from '../output/table.ts'
import { parseCount } from './arguments.ts'

export function addSync(program: Command): void {
  const sync = program.command('sync').description('keeping the provider equal to the invoices')
  sync
    .command('status')
    .description('whether the provider says what the invoices say; ends with 1 where a sync fails')
    .option('--limit <n>', 'how many failures', parseCount, 20)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const status = await client.syncStatus({ limit: Math.min(limit, 100) })
      output.result(status, statusText)
      if (status.status === 'failing') process.exitCode = 1
    })
  sync
    .command('run')
    .description('make the provider say what an invoice says, now')
    .argument('<invoice>', "an invoice's id")
    .option('--dry-run', 'only say what would be sent')
    .action(async (id: string, { dryRun = false }: { dryRun?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const plan = await client.invoices
        .sync(id, { dryRun, look: true })
        .catch((error) => failureOf(client, id, error))
      output.result(plan, planText)
    })
}

/**
 * While the provider fails, a sync tries for longer than a client waits, and what asks again is told that the first
 * request still runs. What is wrong stands on the invoice.
 */
async function failureOf(client: Client, id: string, error: unknown): Promise<never> {
  const stillRuns = error instanceof ProblemError && error.code === 'idempotency_key_in_use'
  if (!stillRuns && !(error instanceof ConnectionError)) throw error
  const { syncProblem } = await client.invoices.read(id).catch(() => ({ syncProblem: null }))
  if (syncProblem !== null)
    throw new ProblemError({
      ...syncProblem,
      ...{ type: `/docs/problems/${syncProblem.code}`, status: 503 },
      detail: `${syncProblem.detail} The sync goes on trying: see lockstep sync status.`,
    })
  if (!stillRuns) throw error
  throw new ProblemError({
    ...{ type: error.type, title: 'The sync still runs.', status: error.status, code: error.code },
    detail: 'The payment provider is slow or fails. What comes of it stands in lockstep sync status.',
  })
}

function statusText(status: SyncStatus): string {
  const { open, stale, lagSeconds, lastSuccess, failures, totals } = status
  const heads = {
    inStep: green('✓ in step: the provider was told everything'),
    behind: `behind: ${stale} of ${open} wait for the schedule`,
    failing: yellow('✗ failing'),
  }
  return [
    heads[status.status],
    dim(
      `  ${open} open, ${stale} stale${stale > 0 ? `, told longest ago ${secondsText(lagSeconds)}` : ''}; last success ${lastSuccess === null ? 'never' : instantText(lastSuccess)}`,
    ),
    dim(`  ${scheduleText(status.schedule)}`),
    ...(failures.length > 0 ? ['', failureTable(failures)] : []),
    ...(totals.length > 0 ? ['', totalsTable(totals)] : []),
  ].join('\n')
}

/** What the last round of the schedule came to, and when the next one begins. */
function scheduleText({ lastRun, nextRun, spreadSeconds }: SyncStatus['schedule']): string {
  const next = `next run ${instantText(nextRun)}, spread over ${secondsText(spreadSeconds)}`
  if (lastRun === null) return `last run never; ${next}`
  const { at, due, told, failed } = lastRun
  const left = due - told - failed
  const outcome = [`${told} told`, `${failed} failed`, ...(left > 0 ? [`${left} not looked at yet`] : [])]
  return `last run ${instantText(at)}: ${due} to tell, ${outcome.join(', ')}; ${next}`
}

function failureTable(failures: SyncStatus['failures']): string {
  return table(failures, [
    { title: 'customer', cell: ({ externalId }) => externalId },
    { title: 'invoice', cell: ({ invoice }) => invoice },
    { title: 'last told', cell: ({ syncedAt }) => (syncedAt === null ? 'never' : instantText(syncedAt)) },
    { title: 'because', cell: ({ problem }) => `${problem.title} ${problem.detail}` },
    { title: '', cell: ({ needsAttention }) => (needsAttention ? yellow('look at it') : dim('tried again')) },
  ])
}

function totalsTable(totals: SyncStatus['totals']): string {
  return table(totals, [
    { title: 'currency', cell: ({ currency }) => currency },
    { title: 'standing there', cell: ({ standing }) => amountText(standing), align: 'right' },
    { title: 'sent, and final', cell: ({ sent }) => amountText(sent), align: 'right' },
    { title: 'billed', cell: ({ billed }) => amountText(billed), align: 'right' },
    { title: '', cell: ({ equal }) => (equal ? green('equal') : yellow('differ')) },
  ])
}

function planText({ dryRun, create, update, remove, keep, calls }: SyncPlan): string {
  if (calls === 0) return `${green('✓')} The provider says the same already.`
  const rows = [
    ...create.map((item) => ({ what: 'create', item })),
    ...update.map((item) => ({ what: 'update', item })),
    ...remove.map((item) => ({ what: 'remove', item })),
    ...keep.map((item) => ({ what: 'keep', item })),
  ]
  const list = table(rows, [
    { title: dryRun ? 'would' : 'done', cell: ({ what }) => what },
    { title: 'amount', cell: ({ item }) => amountText(item.amount), align: 'right' },
    { title: '', cell: ({ item }) => item.amount.currency },
    { title: 'line', cell: ({ item }) => item.description },
  ])
  return `${list}\n${calls} ${calls === 1 ? 'call' : 'calls'}`
}
