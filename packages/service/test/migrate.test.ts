import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { newEmptyDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { migrate, migrationsDirectory, readMigrations } from '../src/postgres/migrate.ts'

const place = await mkdtemp(join(tmpdir(), 'migrations-'))
const directory = pathToFileURL(`${place}/`)
afterAll(() => rm(place, { recursive: true }))

let database: TestDatabase
beforeEach(async () => {
  database = await newEmptyDatabase()
  await rm(place, { recursive: true })
  await cp(migrationsDirectory, directory, { recursive: true })
})
afterEach(() => database.drop())

const names = async () => (await readMigrations()).map(({ name }) => name)

test('the first time applies every file in order, the second none', async () => {
  expect(await migrate(database.url)).toEqual(await names())
  expect(await migrate(database.url)).toEqual([])
})

test('processes that start at once take turns', async () => {
  const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database.url)))
  expect(applied.filter((files) => files.length > 0)).toEqual([await names()])
})

test('who reads while a migration waits for a table is answered, though somebody else holds the table all the while', async () => {
  await migrate(database.url)
  await writeFile(join(place, '9999_more.sql'), 'alter table subscription add column more integer;')
  const [report, other] = [database, database].map(({ url }) => new pg.Client({ connectionString: url }))
  if (!report || !other) throw new Error('two clients')
  await Promise.all([report.connect(), other.connect()])
  await report.query('begin')
  await report.query('select from subscription')
  const migrated = migrate(database.url, { directory })
  const waiting = async () =>
    (await other.query("select from pg_locks where not granted and relation = 'subscription'::regclass"))
      .rowCount
  await expect.poll(waiting, { interval: 5 }).toBe(1)
  // Behind the migration, which gives way: without that this never ends, since the report goes on until below.
  expect((await other.query('select from subscription')).rowCount).toBe(0)
  await report.query('commit')
  expect(await migrated).toEqual(['9999_more.sql'])
  await Promise.all([report.end(), other.end()])
})

test('each installation gets a name of its own', async () => {
  const other = await newEmptyDatabase()
  const instances = await Promise.all(
    [database, other].map(async ({ url, db }) => {
      await migrate(url)
      return (await db.selectFrom('installation').select('instance').executeTakeFirstOrThrow()).instance
    }),
  )
  expect(instances[0]).toMatch(/^instance_[0-9a-f]{32}$/)
  expect(instances[1]).not.toBe(instances[0])
  await other.drop()
})

test('a landed file that changed is refused by its name; line ends do not count', async () => {
  await migrate(database.url, { directory })
  const [first] = await readMigrations(directory)
  const path = join(place, first?.name ?? '')
  await writeFile(path, first?.text.replaceAll('\n', '\r\n') ?? '')
  expect(await migrate(database.url, { directory })).toEqual([])
  await writeFile(path, `${first?.text}\nselect 1;`)
  await expect(migrate(database.url, { directory })).rejects.toThrow(`${first?.name} has changed`)
})

test('a database that is newer than the code is refused', async () => {
  await writeFile(join(place, '9999_future.sql'), 'create table future (x int);')
  await migrate(database.url, { directory })
  await expect(migrate(database.url)).rejects.toThrow(
    'newer than this version of Lockstep: it has 9999_future.sql',
  )
})

test('a file that comes in between is refused', async () => {
  await migrate(database.url, { directory })
  await writeFile(join(place, '0001_also.sql'), 'select 1;')
  await expect(migrate(database.url, { directory })).rejects.toThrow('0001_also.sql is numbered before')
})

test('a file that fails leaves nothing behind and goes on when it is mended', async () => {
  const path = join(place, '9000_broken.sql')
  await writeFile(path, 'create table half (x int); create table broken (x nonsense);')
  await expect(migrate(database.url, { directory })).rejects.toThrow(
    'Migration 9000_broken.sql failed: type "nonsense"',
  )
  const { rows } = await database.pool.query("select to_regclass('half') as half")
  expect(rows).toEqual([{ half: null }])
  await writeFile(path, 'create table half (x int);')
  expect(await migrate(database.url, { directory })).toEqual(['9000_broken.sql'])
  await rename(path, `${path}.txt`)
})
