import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../../test/support/process.ts'
import type { Bus, Delivery } from '../src/bus/bus.ts'
import { natsBus } from '../src/bus/nats.ts'
import { addressOf } from '../src/bus/nats-connection.ts'
import { createLog } from '../src/log.ts'

const log = createLog({ logLevel: 'silent' })

/** A nats-server with its store in a folder, so that it can be killed and started again. */
async function startServer(port: number, store: string): Promise<ChildProcess> {
  const server = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port), '--jetstream', '-sd', store], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  await new Promise<void>((ready, failed) => {
    // Read to its end: a server that nobody reads dies of the next thing it says, be it that it is slow.
    server.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('Server is ready')) ready()
    })
    server.once('exit', () => failed(new Error(`nats-server ended:\n${said}`)))
  })
  return server
}

async function kill(server: ChildProcess): Promise<void> {
  const exited = once(server, 'exit')
  server.kill('SIGKILL')
  await exited
}

/** Keeps what is delivered, and tells when there is enough. */
function newKeeper(failing = 0) {
  const kept: string[] = []
  let refusals = failing
  let look = () => {}
  return {
    kept,
    take: async ({ body }: Delivery) => {
      if (refusals > 0) {
        refusals -= 1
        throw new Error('The database is away.')
      }
      kept.push(body.toString())
      look()
    },
    has: (count: number) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (kept.length >= count) resolve()
        }
        look()
      }),
  }
}

const isHere = (() => {
  try {
    execFileSync('nats-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('nats-server is not installed: the tests of the NATS driver are skipped.')
    return false
  }
})()

describe.skipIf(!isHere)('on a real nats-server', () => {
  let port: number
  let store: string
  let server: ChildProcess
  const open: Bus[] = []

  beforeAll(async () => {
    port = await freePort()
    store = await mkdtemp(join(tmpdir(), 'nats-'))
    server = await startServer(port, store)
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((bus) => bus.close()))
  })
  afterAll(async () => {
    await kill(server)
    await rm(store, { recursive: true, force: true })
  })

  const newSubject = () => `test.${randomUUID()}.created`
  function newBus(take: (delivery: Delivery) => Promise<void>, durable = 'lockstep-one'): Bus {
    const bus = natsBus({ url: `nats://127.0.0.1:${port}`, durable, log, take })
    open.push(bus)
    return bus
  }
  const say = (bus: Bus, subject: string, text: string) => bus.publish(subject, Buffer.from(text), text)

  test('what was published before anybody listened is delivered, in order', async () => {
    const subject = newSubject()
    const { kept, has, take } = newKeeper()
    const bus = newBus(take)
    for (const text of ['a', 'b', 'c']) await say(bus, subject, text)
    const listening = bus.listen(subject)
    await has(3)
    expect(kept).toEqual(['a', 'b', 'c'])
    await listening.close()
  })

  test('a message of one name published twice is delivered once', async () => {
    const subject = newSubject()
    const { kept, has, take } = newKeeper()
    const bus = newBus(take)
    for (const text of ['a', 'a', 'b']) await say(bus, subject, text)
    bus.listen(subject)
    await has(2)
    expect(kept).toEqual(['a', 'b'])
  })

  test('what could not be kept is delivered again', async () => {
    const subject = newSubject()
    const { kept, has, take } = newKeeper(2)
    const bus = newBus(take)
    bus.listen(subject)
    await say(bus, subject, 'a')
    await has(1)
    expect(kept).toEqual(['a'])
  })

  test('two processes of an installation share the messages; another installation gets all of them', async () => {
    const subject = newSubject()
    const [ours, others] = [newKeeper(), newKeeper()]
    const [first, second] = [newBus(ours.take), newBus(ours.take)]
    first.listen(subject)
    second.listen(subject)
    newBus(others.take, 'lockstep-two').listen(subject)
    const texts = Array.from({ length: 40 }, (_, n) => `message ${n}`)
    await Promise.all(texts.map((text) => say(first, subject, text)))
    await Promise.all([ours.has(40), others.has(40)])
    expect(new Set(ours.kept)).toEqual(new Set(texts))
    expect(ours.kept).toHaveLength(40)
    expect(new Set(others.kept)).toEqual(new Set(texts))
  })

  test('a stream that is made anew counts from one again, and its messages are other ones', async () => {
    const subject = newSubject()
    const names = new Set<string>()
    const nats = await connect({ servers: `nats://127.0.0.1:${port}` })
    const { streams } = await jetstreamManager(nats)
    for (const name of ['first', 'second']) {
      await streams.add({ name: 'recreated', subjects: [subject] })
      // By nobody's own name.
      expect((await jetstream(nats).publish(subject, 'hello')).seq).toBe(1)
      const { has, take } = newKeeper()
      newBus(async (delivery) => {
        names.add(`${delivery.name.source} ${delivery.name.id}`)
        await take(delivery)
      }, name).listen(subject)
      await has(1)
      await streams.delete('recreated')
    }
    expect(names.size).toBe(2)
    await nats.close()
  })

  test('a server that is killed and comes back is listened to again, and has lost nothing', async () => {
    const subject = newSubject()
    const { kept, has, take } = newKeeper()
    // Killed before it has heard the acknowledgement it delivers once more: the name tells that it is the same.
    const names = new Set<string>()
    const takeOnce = async (delivery: Delivery) => {
      if (names.has(delivery.name.id)) return
      names.add(delivery.name.id)
      await take(delivery)
    }
    const bus = newBus(takeOnce)
    bus.listen(subject)
    await say(bus, subject, 'before')
    await has(1)
    await kill(server)
    server = await startServer(port, store)
    await say(newBus(take), subject, 'after')
    await has(2)
    expect(kept).toEqual(['before', 'after'])
  })
})

test('a bus that is away refuses to publish, and can be closed', async () => {
  const bus = natsBus({
    url: `nats://127.0.0.1:${await freePort()}`,
    durable: 'x',
    log,
    take: async () => {},
  })
  const listening = bus.listen('a.b')
  await expect(bus.publish('a.b', Buffer.from('{}'), '1')).rejects.toMatchObject({ code: 'bus_unavailable' })
  await bus.close()
  await listening.close()
})

test('a name, a password or a token stand in the address', () => {
  expect(addressOf('nats://127.0.0.1:4222')).toEqual({ servers: 'nats://127.0.0.1:4222' })
  expect(addressOf('nats://ada:p%40ss@bus:4222')).toEqual({
    servers: 'nats://bus:4222',
    user: 'ada',
    pass: 'p@ss',
  })
  expect(addressOf('tls://s3cret@bus:4222')).toEqual({ servers: 'tls://bus:4222', token: 's3cret' })
})
