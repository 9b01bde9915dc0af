import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { run } from './run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

// Types would be stripped nowhere now, not only below node_modules.
const plainNode = ['--no-experimental-strip-types']

/** A catalogue is read from a file of the user's own, by the published core. */
export async function useCatalogue(project: string): Promise<string> {
  await cp(join(root, 'examples/cloud-host/catalog.ts'), join(project, 'catalog.js'))
  const script = `
    import catalog from './catalog.js'
    import { formatMoney } from '@lockstep/core/money'
    const { key, prices } = catalog.plans[0]
    console.log(key, formatMoney(prices[0].amount))`
  return expectOutput(await runScript(project, script), 'cloud-host 20.00')
}

/** The SDK loads, and tells of a service that is not there. */
export async function useSdk(project: string): Promise<string> {
  const script = `
    import { createClient } from '@lockstep/sdk'
    import { ConnectionError } from '@lockstep/sdk/problem-error'
    const client = createClient({ baseUrl: 'http://127.0.0.1:9', retry: { attempts: 1 } })
    const error = await client.health().catch((error) => error)
    console.log(error instanceof ConnectionError, error.reason)`
  return expectOutput(await runScript(project, script), 'true unreachable')
}

/** The declarations say what the sources say: this compiles, and a wrong plan key does not. */
export async function useTypes(project: string): Promise<string> {
  const file = join(project, 'consumer.ts')
  await writeFile(
    file,
    `import { createClient, type Registration } from '@lockstep/sdk'
     import { defineCatalog } from '@lockstep/core/catalog'
     const client = createClient({ baseUrl: 'http://127.0.0.1:4000' })
     export const registration: Promise<Registration> = client.registrations.create({ externalId: 'u', plan: 'p' })
     export const amount: Promise<string | undefined> = client.invoices.read('i').then(({ lines }) => lines[0]?.amount.minor)
     // @ts-expect-error a registration names its user
     client.registrations.create({ plan: 'p' })
     defineCatalog({ currency: 'usd', products: { a: { name: 'A' } }, plans: { p: {
       // @ts-expect-error there is no product b
       name: 'P', product: 'b', interval: 'month', prices: {} } } })
    `,
  )
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  await run('tsc', [...flags, '--typeRoots', join(root, 'node_modules/@types'), file], { cwd: project })
  return 'compiles, refuses what is wrong'
}

/** The command starts, and says of `start` that it needs what is not published. */
export async function useCli(project: string): Promise<string> {
  const lockstep = join(project, 'node_modules/lockstep/dist/main.js')
  await run(process.execPath, [...plainNode, lockstep, '--help'], { cwd: project })
  const failure = await run(process.execPath, [...plainNode, lockstep, 'start'], { cwd: project }).catch(
    String,
  )
  return expectOutput(failure, 'The package @lockstep/service is not installed here.')
}

/** The simulator's command starts, and a customer can be made. */
export async function useSimulator(project: string): Promise<string> {
  const main = join(project, 'node_modules/stripe-simulator/dist/main.js')
  const child = spawn(process.execPath, [...plainNode, main, '--port', '0'], { cwd: project })
  try {
    const lines = createInterface({ input: child.stdout })
    const exited = once(child, 'exit').then(() => Promise.reject(new Error('The simulator ended at once.')))
    const [line] = (await Promise.race([once(lines, 'line'), exited])) as [string]
    const url = /http:\/\/\S+/.exec(line)?.[0]
    const response = await fetch(`${url}/v1/customers`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk_test_pack', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'name=Ada',
    })
    const customer = (await response.json()) as { id: string; name: string }
    return expectOutput(`${customer.id} ${customer.name}`, ' Ada')
  } finally {
    child.kill()
  }
}

async function runScript(project: string, script: string): Promise<string> {
  const file = join(project, 'script.js')
  await writeFile(file, script)
  return run(process.execPath, [...plainNode, file], { cwd: project })
}

function expectOutput(output: string, expected: string): string {
  if (!output.includes(expected)) throw new Error(`Expected: ${expected}\nGot: ${output}`)
  return expected.trim()
}
