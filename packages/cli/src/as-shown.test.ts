import { createClient } from '@lockstep/sdk'
import { expect, test } from 'vitest'
import { cancelAsShown, changeAsShown } from './as-shown.ts'

const stale = {
  ...{ type: '/docs/problems/preview_stale', title: 'Stale.', status: 409, code: 'preview_stale' },
  detail: 'The catalogue changed since the preview.',
}

/** A service whose previews are numbered, and that holds changes only to the newest of so many. */
function serviceOf({ previews }: { previews: number }) {
  const sent: unknown[] = []
  let shown = 0
  const client = createClient({
    baseUrl: 'http://service.example',
    fetch: async (...call) => {
      const request = new Request(...call)
      if (request.url.endsWith('/preview')) {
        shown += 1
        return Response.json({ token: `preview1.${shown}` })
      }
      const body = (await request.json()) as { preview?: string }
      sent.push(body)
      return body.preview === `preview1.${previews}`
        ? Response.json({ change: { state: 'effective' } })
        : Response.json(stale, { status: 409 })
    },
  })
  return { client, sent }
}

const changes = {
  change: (client: Client, agree: Agree) =>
    changeAsShown(client, 'subscription_1', { plan: 'premium' }, agree),
  end: (client: Client, agree: Agree) => cancelAsShown(client, 'subscription_1', { when: 'now' }, agree),
}
const wishes = { change: { plan: 'premium' }, end: { when: 'now' } }

type Client = ReturnType<typeof serviceOf>['client']
type Agree = (preview: { readonly token: string }) => Promise<void>

test.each(['change', 'end'] as const)(
  'what went stale of a %s while the question stood is shown anew and asked again',
  async (deed) => {
    const { client, sent } = serviceOf({ previews: 2 })
    const asked: string[] = []
    const done = await changes[deed](client, async ({ token }) => void asked.push(token))
    expect(done).toEqual({ change: { state: 'effective' } })
    expect(asked).toEqual(['preview1.1', 'preview1.2'])
    expect(sent).toEqual([
      { ...wishes[deed], preview: 'preview1.1' },
      { ...wishes[deed], preview: 'preview1.2' },
    ])
  },
)

test.each(['change', 'end'] as const)('who says no to the second %s has changed nothing', async (deed) => {
  const { client, sent } = serviceOf({ previews: 9 })
  const agree: Agree = async ({ token }) => {
    if (token === 'preview1.2') throw new Error('No.')
  }
  await expect(changes[deed](client, agree)).rejects.toThrow('No.')
  expect(sent).toEqual([{ ...wishes[deed], preview: 'preview1.1' }])
})
