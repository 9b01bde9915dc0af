// docs.stripe.com/api/errors: what is wrong with a request is a 4xx; a 5xx is "something went wrong on Stripe's end"
import { afterAll, beforeAll, expect, test } from 'vitest'
import { routes } from '../src/registry.ts'
import { ordinaryDay } from './ordinary-day.ts'
import { DAY, JAN_1, newWorld, type World } from './world.ts'

const LONG = 'x'.repeat(20_000)

/** What no caller should send, as the ends of form parameters: `=value`, or `[name]=value` for nested ones. */
const hostile = [
  ...['', ' ', '-1', '0.5', '1e400', 'NaN', '-999999999999999', '999999999999999', '99999999999'],
  ...['9007199254740993', 'null', 'true', '\0', 'a\0b', '%00', '💥', 'http://[', 'javascript:alert(1)', LONG],
  // Names that every object of the language has.
  ...['constructor', '__proto__', 'toString', 'hasOwnProperty'],
]
  .map((value) => `=${encodeURIComponent(value)}`)
  .concat(
    '[]=a',
    '[0][0][0]=a',
    '[a][b][c][d][e][f][g][h][i][j][k]=a',
    '[length]=3',
    '[__proto__][x]=1',
    '[5]=a&[0]=b',
  )

let world: World
let clock: string
/** One good request, or none, of every operation that writes. */
let good: { method: string; route: string; path: string; params: string }[]

beforeAll(async () => {
  world = await newWorld({ settings: { unlimitedClocks: true } })
  ;({ clock } = await ordinaryDay(world))
  const day = world.simulator.control.requests().requests.filter(({ method }) => method !== 'GET')
  good = routes
    .filter(({ method }) => method !== 'GET')
    .flatMap(({ method, path: route }) => {
      const asked = day.filter((request) => request.method === method && request.route === route)
      const none = { method, route, path: route.replace(/:\w+/g, 'nothing'), params: '' }
      return asked.length === 0 ? [none] : asked.map(({ path, params }) => ({ method, route, path, params }))
    })
})
afterAll(() => world.close())

async function send(method: string, path: string, params: string) {
  const inQuery = method === 'POST' ? '' : `?${params.slice(0, 8000)}`
  const response = await fetch(`${world.simulator.url}${path}${inQuery}`, {
    method,
    headers: {
      authorization: 'Bearer sk_test_hostile',
      'content-type': path.startsWith('/v2/') ? 'application/json' : 'application/x-www-form-urlencoded',
    },
    ...(method === 'POST' ? { body: params } : {}),
  })
  const body = (await response.json()) as { error?: { message: string } }
  return { status: response.status, message: body.error?.message }
}

/** Every parameter of a good request in turn made bad, and every other one that the operation knows added. */
function spoiled(turn: number): { method: string; path: string; params: string }[] {
  return good.flatMap(({ method, route, path, params }, at) => {
    const sent = params.split('&').filter((pair) => pair !== '')
    const bad = (n: number) => hostile[(at * 7 + turn * 11 + n) % hostile.length] as string
    const changed = sent.map((pair, n) => {
      const name = pair.slice(0, pair.indexOf('='))
      const ends = bad(n)
        .split('&')
        .map((end) => `${name}${end}`)
      return sent.with(n, ends.join('&')).join('&')
    })
    const known = routes.find((one) => one.method === method && one.path === route)
    const added = Object.keys(known?.params.fields ?? {}).map((name, n) => {
      const ends = bad(n + 3)
        .split('&')
        .map((end) => `${name}${end}`)
      return [...sent, ...ends].join('&')
    })
    return [...changed, ...added, `${params}&expand${bad(5)}`].map((made) => ({ method, path, params: made }))
  })
}

test('whatever is sent, the answer is not a failure of ours, and the clocks go on', async () => {
  const failures: string[] = []
  let asked = 0
  for (const turn of [0, 1, 2]) {
    for (const { method, path, params } of spoiled(turn)) {
      // An advance by a thousand years is allowed on this simulator, and takes its time.
      if (path.includes('test_clocks')) continue
      const { status, message } = await send(method, path, params)
      asked++
      if (status >= 500)
        failures.push(`${method} ${path} ${decodeURIComponent(params).slice(0, 300)}: ${message}`)
    }
  }
  expect(failures).toEqual([])
  expect(asked).toBeGreaterThan(1000)
  await world.advance(clock, JAN_1 + 62 * DAY)
  expect((await world.stripe.testHelpers.testClocks.retrieve(clock)).status).toBe('ready')
})
