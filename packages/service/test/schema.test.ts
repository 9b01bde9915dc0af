import { readdir, readFile } from 'node:fs/promises'
import { afterAll, expect, test } from 'vitest'
import { newDatabase } from '../../../test/support/database.ts'

const database = await newDatabase()
afterAll(() => database.drop())

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const store = new URL('../src/store/', import.meta.url)

/** Tables, columns and whether they may be null, read from the text of the types. */
async function declared(): Promise<string[]> {
  const files = (await readdir(new URL('schema/', store))).map((name) => `schema/${name}`)
  const texts = await Promise.all(
    ['schema.ts', ...files].map((name) => readFile(new URL(name, store), 'utf8')),
  )
  const text = texts.join('\n')
  const lists = [...text.matchAll(/interface (?:\w+Tables|Database)\b[^{]*\{([^}]+)\}/g)].map(
    ([, list = '']) => list,
  )
  return lists.flatMap(tablesOf).flatMap(([table = '', type = '']) => {
    const columns = new RegExp(`interface ${type} \\{([^}]+)\\}`).exec(text)?.[1] ?? ''
    return [...columns.matchAll(/^ {2}(\w+): (.+)$/gm)].map(([, column = '', columnType = '']) => {
      const nullable = columnType.includes('null') || columnType.startsWith('Maybe')
      return `${snake(table)}.${snake(column)}${nullable ? '?' : ''}`
    })
  })
}

const tablesOf = (list: string) => [...list.matchAll(/(\w+): (\w+)/g)].map(([, table, type]) => [table, type])

test('the types of the tables are the tables', async () => {
  const { rows } = await database.pool.query<{ column: string }>(
    `select c.table_name || '.' || c.column_name || case c.is_nullable when 'YES' then '?' else '' end as column
       from information_schema.columns c
       join pg_class t on t.oid = (quote_ident(c.table_schema) || '.' || quote_ident(c.table_name))::regclass
      where c.table_schema = 'public' and not t.relispartition and t.relkind in ('r', 'p')`,
  )
  expect((await declared()).sort()).toEqual(rows.map(({ column }) => column).sort())
})

test('what comes from the provider is compressed by lz4 where the server has it', async () => {
  const { rows } = await database.pool.query(
    `select c.attcompression = case when 'lz4' = any(s.enumvals) then 'l' else '' end as expected
       from pg_attribute c, pg_settings s
      where s.name = 'default_toast_compression' and (c.attrelid, c.attname) in
        (('provider_event'::regclass, 'payload'), ('provider_object'::regclass, 'raw'))`,
  )
  expect(rows).toEqual([{ expected: true }, { expected: true }])
})
