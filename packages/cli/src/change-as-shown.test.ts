import { type ChangePreview, createClient } from '@lockstep/sdk'
import { expect, test } from 'vitest'
import { changeAsShown } from './change-as-shown.ts'

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
      if (request.method === 'POST') {
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

test('what went stale while the question stood is shown anew and asked again', async () => {
  const { client, sent } = serviceOf({ previews: 2 })
  const asked: string[] = []
  const agree = async ({ token }: ChangePreview) => void asked.push(token)
  const done = await changeAsShown(client, 'subscription_1', { plan: 'premium' }, agree)
  expect(done).toEqual({ change: { state: 'effective' } })
  expect(asked).toEqual(['preview1.1', 'preview1.2'])
  expect(sent).toEqual([
    { plan: 'premium', preview: 'preview1.1' },
    { plan: 'premium', preview: 'preview1.2' },
  ])
})

test('who says no to the second one has changed nothing', async () => {
  const { client, sent } = serviceOf({ previews: 9 })
  const agree = async ({ token }: ChangePreview) => {
    if (token === 'preview1.2') throw new Error('No.')
  }
  await expect(changeAsShown(client, 'subscription_1', { plan: 'premium' }, agree)).rejects.toThrow('No.')
  expect(sent).toEqual([{ plan: 'premium', preview: 'preview1.1' }])
})
