import type { Client, Mapping } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { instantText } from '../output/format.ts'
import { bold } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

const kinds = ['customer', 'product', 'plan', 'addon', 'price', 'addon_price'] as const
type Kind = (typeof kinds)[number]

interface ListOptions {
  readonly type?: Exclude<Mapping['entityType'], 'invoice'>
  readonly id?: string
  readonly providerId?: string
  readonly limit: number
}

export function addMappings(program: Command): void {
  const mappings = program.command('mappings').description("which object of ours is which of the provider's")
  mappings
    .command('list')
    .option('--type <type>', 'what it is here: customer, product, plan, addon, price, subscription, …')
    .option('--id <id>', 'our id of it, or its key')
    .option('--provider-id <id>', "the provider's id of it")
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ type, id, providerId, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = {
        limit: Math.min(limit, 100),
        ...(type && { entityType: type }),
        ...(id && { entityId: id }),
        ...(providerId && { providerId }),
      }
      output.result(await firstOf(client.mappings.list(query), limit), mappingTable)
    })
  mappings
    .command('link')
    .description('link one of ours to one of the provider; what waited for it goes on')
    .argument('<type>', `one of ${kinds.join(', ')}`)
    .argument('<id>', 'our id of it, or its key; of a customer, your own id too')
    .argument('<provider-id>', "the provider's id of it; of a plan or an add-on, its product's")
    .action(async (entityType: Kind, entityId: string, providerId: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(
        await client.mappings.link({
          entityType,
          entityId: await idOf(client, entityType, entityId),
          providerId,
        }),
        mappingText,
      )
    })
  mappings
    .command('unlink')
    .description('take a link away; both objects stay')
    .argument('<type>', `one of ${kinds.join(', ')}`)
    .argument('<id>', 'our id of it, or its key; of a customer, your own id too')
    .action(async (entityType: Kind, entityId: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      output.result(
        await client.mappings.unlink(entityType, await idOf(client, entityType, entityId)),
        mappingText,
      )
    })
}

/** A customer may be called as everywhere else: by the application's own id, whatever that looks like. */
const idOf = async (client: Client, type: Kind, id: string) =>
  type === 'customer' ? (await findCustomer(client, id)).id : id

const mappingText = ({ entityType, entityId, providerId }: Mapping) =>
  `${entityType} ${bold(entityId)}: ${providerId}`

function mappingTable(mappings: Mapping[]): string {
  return table(mappings, [
    { title: 'type', cell: ({ entityType }) => entityType },
    { title: 'here', cell: ({ entityId }) => entityId },
    { title: 'there', cell: ({ providerId }) => providerId },
    { title: 'by', cell: ({ origin }) => origin },
    { title: 'since', cell: ({ createdAt }) => instantText(createdAt) },
  ])
}
