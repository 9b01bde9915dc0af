import type { CatalogChanges } from '@lockstep/sdk'
import type { Command } from 'commander'
import { readCatalogFiles } from '../catalog-file.ts'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { countText } from '../output/format.ts'
import { bold, dim, green, yellow } from '../output/style.ts'

const FILES = 'modules whose default export is a catalogue, or JSON; several are one catalogue together'

export function addCatalog(program: Command): void {
  const catalog = program.command('catalog').description('products, meters, plans and prices')
  catalog
    .command('plan')
    .description('show what applying a catalogue would change')
    .argument('<file...>', FILES)
    .action(async (files: string[], _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.catalog.plan(await readCatalogFiles(files)), changesText)
    })
  catalog
    .command('apply')
    .description('make Lockstep and the provider say what the file says')
    .argument('<file...>', FILES)
    .option('--yes', "don't ask")
    .action(async (files: string[], { yes }: { yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const document = await readCatalogFiles(files)
      if (!yes) {
        const planned = await client.catalog.plan(document)
        if (!output.json) output.result(planned, changesText)
        if (!planned.changes.some(({ action }) => action !== 'unchanged')) return
        await confirm('Apply this?')
      }
      output.result(await client.catalog.apply(document), (applied) =>
        yes ? changesText(applied) : `${green('✓')} Applied.`,
      )
    })
}

const signs = {
  create: green('+'),
  update: yellow('~'),
  newVersion: yellow('~'),
  archive: yellow('-'),
  unchanged: yellow('!'),
}

const words = { create: '', update: '', newVersion: '  a new version', archive: '  archived', unchanged: '' }

function changesText({ changes }: CatalogChanges): string {
  const changed = changes.filter(({ action, details }) => action !== 'unchanged' || details.length > 0)
  if (changed.length === 0) return `${green('✓')} Nothing to change: everything stands as it is written.`
  const lines = changed.flatMap(({ action, kind, key, details, subscribers }) => [
    `${signs[action]} ${kind} ${bold(key)}${dim(words[action])}`,
    ...(action === 'create' ? [] : details.map((detail) => `    ${detail}`)),
    ...(isSold(kind) ? whoStays(action, subscribers).map((line) => dim(`    ${line}`)) : []),
  ])
  return lines.join('\n')
}

type Change = CatalogChanges['changes'][number]

/** Nobody is on a product or a meter by itself. */
const isSold = (kind: Change['kind']) => kind === 'plan' || kind === 'addon'

/** A plan or add-on that is sold never changes: who is on a version stays on it. */
function whoStays(action: Change['action'], subscribers: Change['subscribers']): string[] {
  if (action !== 'newVersion' && action !== 'archive') return []
  if (subscribers.length === 0) return ['nobody is on it']
  const each = subscribers.map(({ version, count }) => `${countText(count)} on version ${version}`)
  const after = action === 'archive' ? 'nobody new' : 'the new version is for who comes from now on'
  return [`${each.join(', ')}: they stay; ${after}`]
}
