import { type Scope, scopes } from '@lockstep/api/scopes'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { instantText } from '../output/format.ts'
import { bold, dim } from '../output/style.ts'
import { table } from '../output/table.ts'
import { UsageError } from '../usage-error.ts'
import { collect, firstOf } from './arguments.ts'

const MOST_KEYS_SHOWN = 200

export function addApiKeys(program: Command): void {
  const apiKeys = program.command('api-keys').description('keys of your back end')
  apiKeys
    .command('create')
    .description('make a key; it is shown once')
    .argument('<name>', 'where it is used, for people')
    .requiredOption('--scope <scope>', "what it may do; several times, or 'all'", collect)
    .addHelpText(
      'after',
      () => `\nScopes:\n${scopes.map(({ id, name }) => `  ${id.padEnd(20)} ${name}`).join('\n')}`,
    )
    .action(async (name: string, { scope }: { scope: string[] }, command: Command) => {
      const { client, output } = contextOf(command)
      const created = await client.apiKeys.create({ name, scopes: scopesOf(scope) })
      output.result(
        created,
        ({ key, id }) => `${bold(key)}\n${dim(`This is the only time it is shown. Its id is ${id}.`)}`,
      )
    })
  apiKeys
    .command('list')
    .description('keys, newest first')
    .action(async (_: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await firstOf(client.apiKeys.list({ limit: 100 }), MOST_KEYS_SHOWN), (keys) =>
        table(keys, [
          { title: 'name', cell: ({ name }) => name },
          { title: 'key', cell: ({ prefix }) => `${prefix}…` },
          { title: 'id', cell: ({ id }) => id },
          { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
          { title: 'revoked', cell: ({ revokedAt }) => (revokedAt ? instantText(revokedAt) : '') },
          {
            title: 'may',
            cell: ({ scopes: may }) => (may.length === scopes.length ? 'everything' : may.join(' ')),
          },
        ]),
      )
    })
  apiKeys
    .command('revoke')
    .description('make a key useless, at once')
    .argument('<key>', 'its id')
    .action(async (id: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(await client.apiKeys.revoke(id), ({ name }) => `Revoked: ${name}`)
    })
}

function scopesOf(given: readonly string[]): Scope[] {
  const known = scopes.map(({ id }) => id)
  if (given.includes('all')) return known
  const unknown = given.filter((scope) => !known.some((id) => id === scope))
  if (unknown.length === 0) return given as Scope[]
  throw new UsageError(`There is no such scope: ${unknown.join(', ')}`, `There are: ${known.join(', ')}.`)
}
