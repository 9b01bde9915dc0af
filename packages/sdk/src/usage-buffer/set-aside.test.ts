import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RefusedUsage, SetAside } from './set-aside.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'set-aside-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function opened(): Promise<SetAside> {
  const setAside = new SetAside(directory)
  await setAside.open()
  return setAside
}

const refused = (id: string): RefusedUsage => ({
  event: { source: 'test', id, type: 'requests', subject: 'ada', time: '2026-01-10T00:00:00Z', data: {} },
  faults: [],
})
const idsOf = (all: readonly RefusedUsage[]) => all.map(({ event }) => event.id)

test('what is refused after a hand-over that failed is handed over with the next one', async () => {
  const setAside = await opened()
  await setAside.add([refused('a'), refused('b')])
  await expect(setAside.handOver(() => Promise.reject(new Error('full')))).rejects.toThrow('full')
  await setAside.add([refused('c')])
  expect(idsOf(await setAside.list())).toEqual(['a', 'b', 'c'])

  const handed: string[] = []
  await (await opened()).handOver(async (all) => void handed.push(...idsOf(all)))
  expect(handed).toEqual(['a', 'b', 'c'])
  expect(await setAside.list()).toEqual([])
})

test('half a line, left by who was killed while writing, does not spoil the next one', async () => {
  await (await opened()).add([refused('a')])
  await appendFile(join(directory, 'refused.ndjson'), JSON.stringify(refused('b')).slice(0, 20))
  const setAside = await opened()
  await setAside.add([refused('c')])
  expect(idsOf(await setAside.list())).toEqual(['a', 'c'])
})

test('what is refused while others are handed over stays', async () => {
  const setAside = await opened()
  await setAside.add([refused('a')])
  let adding: Promise<void> | undefined
  await setAside.handOver(async () => {
    adding = setAside.add([refused('b')])
  })
  await adding
  expect(idsOf(await setAside.list())).toEqual(['b'])
  expect(setAside.bytes).toBe(Buffer.byteLength(`${JSON.stringify(refused('b'))}\n`))
})
