import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { startAvalara } from '../../../test/support/avalara.ts'
import { newDatabase, newEmptyDatabase } from '../../../test/support/database.ts'
import { CannotStart } from '../src/cannot-start.ts'
import { readConfig } from '../src/config.ts'
import { doctor, nodeVersion } from '../src/doctor.ts'
import { createLog } from '../src/log.ts'
import { waitForDatabase } from '../src/postgres/wait.ts'
import { startService } from '../src/service.ts'
import { ADMIN_KEY } from './support/server.ts'

const database = await newDatabase()
const empty = await newEmptyDatabase()
afterAll(() => Promise.all([database.drop(), empty.drop()]))

/** No simulator runs there: the service starts without its provider. */
const environment = {
  DATABASE_URL: empty.url,
  STRIPE_API_BASE: 'http://127.0.0.1:9',
  LOCKSTEP_ADMIN_KEY: ADMIN_KEY,
  LOCKSTEP_HOST: '127.0.0.1',
  LOCKSTEP_LOG_LEVEL: 'silent',
  PORT: '0',
}
const start = (env: Record<string, string> = {}) => {
  const config = readConfig({ ...environment, ...env })
  return startService(config, { log: createLog(config) })
}

async function refusalOf(work: Promise<unknown>): Promise<CannotStart> {
  const error = await work.then(
    () => undefined,
    (refused: unknown) => refused,
  )
  if (error instanceof CannotStart) return error
  throw error ?? new Error('it did not refuse')
}

async function squat(): Promise<{ port: number; leave(): void }> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, leave: () => void server.close() }
}

test('it starts on an empty database, says that it is ready, and stops when asked, twice as well as once', async () => {
  const service = await start()
  const readiness = await fetch(`${service.url}/readyz`)
  expect(await readiness.json()).toMatchObject({
    status: 'ready',
    checks: [{ name: 'database' }, { name: 'migrations' }],
  })
  expect((await fetch(`${service.url}/v1/api-keys`)).status).toBe(401)
  const keys = await fetch(`${service.url}/v1/api-keys`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  })
  expect(keys.status).toBe(200)
  await Promise.all([service.close(), service.close()])
  await expect(fetch(service.url)).rejects.toThrow()
})

test('several start at once on one database', async () => {
  const services = await Promise.all([
    start(),
    start({ LOCKSTEP_ROLES: 'worker' }),
    start({ LOCKSTEP_ROLES: 'api' }),
  ])
  const statuses = await Promise.all(
    services.map(async ({ url }) => (await fetch(`${url}/v1/api-keys`)).status),
  )
  // A process that only works has health and figures, and no API.
  expect(statuses).toEqual([401, 404, 401])
  await Promise.all(services.map((service) => service.close()))
})

test('a port that is taken is said in words, and nothing is left running', async () => {
  const { port, leave } = await squat()
  const refusal = await refusalOf(start({ PORT: String(port) }))
  expect(refusal.message).toBe(`Port ${port} of 127.0.0.1 is taken by another program.`)
  expect(refusal.remedy).toContain('PORT')
  leave()
})

describe('a database that cannot be used', () => {
  const url = new URL(database.url)
  const altered = (change: Partial<URL>) => Object.assign(new URL(url), change).href

  test('is down', async () => {
    const refusal = await refusalOf(waitForDatabase(altered({ port: '9' }), { timeoutSeconds: 0.5 }))
    expect(refusal.message).toContain('No database answers at 127.0.0.1:9')
  })
  test('does not know its host', async () => {
    const refusal = await refusalOf(
      waitForDatabase(altered({ hostname: 'db.invalid' }), { timeoutSeconds: 0.5 }),
    )
    expect(refusal.message).toContain('db.invalid')
  })
  test('refuses the password, and says so at once without repeating it', async () => {
    const refusal = await refusalOf(waitForDatabase(altered({ password: 'hunter2' }), { timeoutSeconds: 60 }))
    expect(refusal.message).toContain('refuses this user or password')
    expect(`${refusal.message}${refusal.remedy}`).not.toContain('hunter2')
  })
  test('does not exist', async () => {
    const refusal = await refusalOf(
      waitForDatabase(altered({ pathname: '/nowhere' }), { timeoutSeconds: 60 }),
    )
    expect(refusal.message).toContain('no such database')
  })
  test('is no Postgres', async () => {
    const { port, leave } = await squat()
    const refusal = await refusalOf(waitForDatabase(altered({ port: String(port) }), { timeoutSeconds: 0.5 }))
    expect(refusal.message).toContain('cannot be used')
    leave()
  })
  test('comes up late', async () => {
    const { port, leave } = await squat()
    leave()
    const waiting = waitForDatabase(altered({ port: String(port) }), { timeoutSeconds: 60 })
    const { connect } = await import('node:net')
    const relay = createServer((socket) => {
      const upstream = connect(Number(url.port), '127.0.0.1')
      socket.pipe(upstream).pipe(socket)
      for (const end of [socket, upstream]) end.on('error', () => {})
    }).listen(port, '127.0.0.1')
    await waiting
    relay.close()
  })
})

test('a key of the other mode is refused by a database that holds data', async () => {
  await empty.db.updateTable('installation').set({ livemode: true, providerAccount: 'acct_1' }).execute()
  expect((await refusalOf(start())).message).toContain('test key, but this database holds live data')
  await empty.db.updateTable('installation').set({ livemode: null, providerAccount: null }).execute()
})

describe('the doctor', () => {
  const namesOf = (checks: { name: string; ok: boolean }[]) =>
    checks.map(({ name, ok }) => `${ok ? '✓' : '✗'} ${name}`)

  test('looks at everything and says what is missing', async () => {
    const checks = await doctor({ ...environment, DATABASE_URL: database.url })
    expect(namesOf(checks)).toEqual([
      '✓ node',
      '✓ database',
      '✓ clocks',
      '✓ migrations',
      '✓ installation',
      '✓ catalogue',
      '✓ usage retention',
      '✗ stripe',
      '✗ webhook secret',
      '✓ tax',
      '✓ port',
    ])
    for (const { ok, remedy } of checks) if (!ok) expect(remedy).toBeTruthy()
  })

  test('sees a database without migrations, and one that is not there', async () => {
    const fresh = await newEmptyDatabase()
    const checks = await doctor({ ...environment, DATABASE_URL: fresh.url })
    expect(namesOf(checks)).toContain('✗ migrations')
    await fresh.drop()
    const gone = await doctor({ ...environment, DATABASE_URL: fresh.url })
    expect(namesOf(gone)).toContain('✗ database')
  })

  test('tells a running Lockstep from a port that is taken', async () => {
    const service = await start()
    const found = await doctor({ ...environment, PORT: new URL(service.url).port })
    expect(found.at(-1)).toMatchObject({
      name: 'port',
      ok: true,
      detail: expect.stringContaining('is ready'),
    })
    await service.close()
    const { port, leave } = await squat()
    expect((await doctor({ ...environment, PORT: String(port) })).at(-1)).toMatchObject({
      name: 'port',
      ok: false,
    })
    leave()
  })

  test('lists what is wrong with the configuration', async () => {
    const checks = await doctor({ PORT: 'x', LOCKSTEP_ROLES: 'cook' })
    expect(namesOf(checks)).toEqual(['✗ configuration', '✗ configuration'])
  })

  test('tries the key of who knows the tax, and says what is the matter', async () => {
    const avalara = await startAvalara()
    const taxOf = async (env: Record<string, string>) => {
      const checks = await doctor({ ...environment, DATABASE_URL: database.url, ...env })
      const { ok, detail, remedy } = checks.find(({ name }) => name === 'tax') ?? {}
      return `${ok ? '✓' : '✗'} ${detail?.replaceAll(/127.0.0.1:\d+/g, 'HOST')}${remedy ? ` ${remedy}` : ''}`
    }
    const settings = {
      ...{ LOCKSTEP_TAX: 'avalara', AVALARA_API_BASE: avalara.url },
      ...{ AVALARA_ACCOUNT_ID: '4711', AVALARA_LICENSE_KEY: 'key' },
    }
    const check = 'Check AVALARA_API_BASE and the connection to it.'
    expect(await taxOf({})).toBe('✓ Nobody is asked (LOCKSTEP_TAX is none).')
    expect(await taxOf({ LOCKSTEP_TAX: 'stripe' })).toBe('✓ Stripe computes it on each invoice.')
    expect(await taxOf(settings)).toBe('✓ Avalara at HOST takes the key.')
    expect(await taxOf({ ...settings, AVALARA_LICENSE_KEY: 'wrong' })).toBe(
      '✗ Avalara at HOST does not take AVALARA_ACCOUNT_ID with AVALARA_LICENSE_KEY: registrations wait (LOCKSTEP_TAX_WHEN_DOWN is block). Check both; a key of the sandbox is taken by the sandbox only (AVALARA_API_BASE).',
    )
    avalara.fail(503)
    expect(await taxOf({ ...settings, LOCKSTEP_TAX_WHEN_DOWN: 'untaxed' })).toBe(
      `✗ Avalara at HOST: The tax provider answered 503. As long as that is so, registrations go on untaxed (LOCKSTEP_TAX_WHEN_DOWN is untaxed). ${check}`,
    )
    await avalara.close()
    expect(await taxOf(settings)).toBe(
      `✗ Avalara at HOST: The tax provider did not answer. As long as that is so, registrations wait (LOCKSTEP_TAX_WHEN_DOWN is block). ${check}`,
    )
  })

  test('knows which Node is too old', () => {
    expect(['20.20.2', '24.10.0', '24.11.0', '25.0.0'].map((version) => nodeVersion(version).ok)).toEqual([
      false,
      false,
      true,
      true,
    ])
  })
})
