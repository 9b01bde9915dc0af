import type { Orphan, OrphanSweep } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { green } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface ListOptions {
  readonly state?: Orphan['state']
  readonly limit: number
}

export function addOrphans(program: Command): void {
  const orphans = program
    .command('orphans')
    .description('what stands at the provider under our name without a row here')
  orphans
    .command('sweep')
    .description('look for them and say what would be done; with --apply, do it')
    .option('--apply', 'adopt, take back and park, as shown')
    .option('--yes', "don't ask")
    .action(async ({ apply, yes }: { apply?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      if (!apply) return output.result(await client.orphans.sweep(), sweepText)
      if (!yes) {
        const found = await client.orphans.sweep()
        if (!output.json) output.result(found, sweepText)
        if (found.orphans.length === 0) return
        await confirm('Do this?')
      }
      output.result(await client.orphans.sweep({ dryRun: false }), sweepText)
    })
  orphans
    .command('list')
    .description('what sweeps found, newest first')
    .option('--state <state>', 'waiting, parked, adopted, removed or left')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ state, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { limit: Math.min(limit, 100), ...(state && { state }) }
      output.result(await firstOf(client.orphans.list(query), limit), (found) =>
        table(found, [
          { title: 'found', cell: ({ foundAt }) => instantText(foundAt) },
          { title: 'at the provider since', cell: sinceText },
          { title: 'object', cell: ({ providerId }) => providerId },
          { title: 'customer', cell: whoseText },
          { title: 'state', cell: (orphan) => orphan.state },
          { title: 'reason', cell: ({ reason }) => reason },
        ]),
      )
    })
}

/** As the application knows them, or as the provider does. */
function whoseText({
  externalId,
  providerCustomer,
}: Pick<Orphan, 'externalId' | 'providerCustomer'>): string {
  return externalId ?? providerCustomer ?? '–'
}

/** A service that does not say yet is no reason to fall over. */
function sinceText({ madeAt }: { readonly madeAt?: string | null }): string {
  return madeAt ? instantText(madeAt) : '–'
}

function sweepText({ dryRun, looked, orphans }: OrphanSweep): string {
  const head = `Looked at ${looked} objects of ours at the provider.`
  if (orphans.length === 0) return `${green('✓')} ${head} Each has its row here.`
  const rows = table(orphans, [
    { title: dryRun ? 'would' : 'done', cell: ({ verdict }) => verdict },
    { title: 'object', cell: ({ providerId }) => providerId },
    { title: 'customer', cell: whoseText },
    { title: 'since', cell: sinceText },
    { title: 'because', cell: ({ reason }) => reason },
  ])
  return `${head}\n\n${rows}`
}
