import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCatalogFiles } from './catalog-file.ts'

const plan = (product: string) => ({ name: product, product, interval: 'month', prices: {} })

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalogs-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function read(...documents: object[]) {
  const files = await Promise.all(
    documents.map(async (document, index) => {
      const file = join(folder, `${index}.json`)
      await writeFile(file, JSON.stringify(document))
      return file
    }),
  )
  return readCatalogFiles(files)
}

const writing = {
  currency: 'usd',
  seller: { name: 'We' },
  products: { app: { name: 'App' } },
  features: { history: { name: 'History', kind: 'switch' } },
  plans: { app: plan('app') },
  addons: { proofreading: plan('app') },
}
const cloud = {
  currency: 'jpy',
  products: { host: { name: 'Host' } },
  meters: { calls: { name: 'Calls', unitLabel: 'call', aggregation: 'count' } },
  coupons: { spring: { name: 'Spring', amountOff: '500', duration: 'once' } },
  plans: { host: plan('host'), euro: { ...plan('host'), currency: 'eur' } },
  addons: { backups: plan('host') },
  signUp: { plan: 'host' },
}

test('several files are one catalogue, and nothing of any of them is lost', async () => {
  expect(await read(writing, cloud)).toEqual({
    currency: 'usd',
    seller: { name: 'We' },
    products: { app: { name: 'App' }, host: { name: 'Host' } },
    meters: cloud.meters,
    features: writing.features,
    // Yen stay yen beside dollars.
    coupons: { spring: { name: 'Spring', amountOff: '500', duration: 'once', currency: 'jpy' } },
    plans: {
      app: plan('app'),
      host: { ...plan('host'), currency: 'jpy' },
      euro: { ...plan('host'), currency: 'eur' },
    },
    addons: { proofreading: plan('app'), backups: { ...plan('host'), currency: 'jpy' } },
    signUp: { plan: 'host' },
  })
})

test('what two files name alike, or name only one of, is refused', async () => {
  await expect(read(writing, { ...cloud, plans: { app: plan('app') } })).rejects.toThrow('a plan alike: app')
  await expect(read({ ...writing, signUp: { plan: 'app' } }, cloud)).rejects.toThrow(
    'different plans for sign-ups',
  )
  await expect(read(writing, { ...cloud, addons: writing.addons })).rejects.toThrow(
    'an add-on alike: proofreading',
  )
  await expect(read(writing, { ...cloud, seller: { name: 'They' } })).rejects.toThrow('different sellers')
})

test('a file that cannot be read is named, with what to do about it', async () => {
  const readText = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return readCatalogFiles([join(folder, name)])
  }
  await expect(readText('cut.json', '{ "currency": ')).rejects.toThrow(/cut\.json is not JSON: /)
  await expect(readText('cut.mjs', 'export default {')).rejects.toThrow(/cut\.mjs cannot be read: /)
  await expect(readText('none.mjs', 'export const catalog = {}')).rejects.toMatchObject({
    message: expect.stringMatching(/none\.mjs is no catalogue\.$/),
    remedy: expect.stringContaining('export default defineCatalog'),
  })
  // Beside no node_modules of ours.
  const outside = readText('outside.mjs', "import '@lockstep/nowhere'")
  await expect(outside).rejects.toMatchObject({ remedy: expect.stringContaining('put the file inside') })
})
