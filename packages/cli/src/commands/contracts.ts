import { writeFile } from 'node:fs/promises'
import type { ContractSummary } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { findCustomer } from '../find-customer.ts'
import { chainText, contractText } from '../output/contract-text.ts'
import { instantText } from '../output/format.ts'
import { green } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

const CUSTOMER = "a customer's id, or your own id of it"

export function addContracts(program: Command): void {
  const contracts = program.command('contracts').description('what customers agreed on')
  contracts
    .command('list')
    .description("a customer's contracts, newest first")
    .argument('<customer>', CUSTOMER)
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async (what: string, { limit }: { limit: number }, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      const list = client.contracts.list({ customer: id, limit: Math.min(limit, 100) })
      output.result(await firstOf(list, limit), contractTable)
    })
  contracts
    .command('show')
    .description('one contract, here or as a file')
    .argument('<contract>', "a contract's id")
    .option('--pdf <file>', 'write it as a PDF')
    .option('--html <file>', 'write it as a page to print')
    .action(async (id: string, files: { pdf?: string; html?: string }, command: Command) => {
      const { client, output } = contextOf(command)
      if (files.pdf !== undefined) await writeFile(files.pdf, await client.contracts.pdf(id))
      if (files.html !== undefined) await writeFile(files.html, await client.contracts.html(id))
      const written = [files.pdf, files.html].filter((file) => file !== undefined)
      if (written.length > 0) {
        return output.result({ written }, () => written.map((file) => `${green('✓')} ${file}`).join('\n'))
      }
      output.result(await client.contracts.read(id), contractText)
    })
  contracts
    .command('verify')
    .description("walk a customer's contracts and name the first that does not hold")
    .argument('<customer>', CUSTOMER)
    .action(async (what: string, _: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const { id } = await findCustomer(client, what)
      const chain = await client.contracts.verify(id)
      output.result(chain, chainText)
      if (!chain.intact) process.exitCode = 1
    })
}

function contractTable(contracts: ContractSummary[]): string {
  return table(contracts, [
    { title: '#', cell: ({ sequence }) => `${sequence}`, align: 'right' },
    { title: 'plan', cell: ({ plan, planVersion }) => `${plan}, version ${planVersion}` },
    { title: 'accepted', cell: ({ acceptedAt }) => instantText(acceptedAt) },
    { title: '', cell: ({ supersededBy }) => (supersededBy === null ? 'in force' : 'superseded') },
    { title: 'id', cell: ({ id }) => id },
    { title: 'subscription', cell: ({ subscription }) => subscription },
  ])
}
