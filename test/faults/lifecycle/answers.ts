import { isDeepStrictEqual } from 'node:util'
import { newId } from '@lockstep/service/ids'
import { LateAnswer } from './reason.ts'
import type { Answer, Request, Stage } from './stage.ts'

/** Asks, and holds the answer to what it must be. */
export async function answered(stage: Stage, request: Omit<Request, 'key'>, status: number): Promise<Answer> {
  const whole = { ...request, key: newId('operation') }
  let answer = await stage.ask(whole)
  // The machine is slow, or somebody died: asked again, it is the same request.
  while (answer.status === 503) answer = await stage.ask(whole)
  if (answer.status === 202 && isOnItsWay(answer) && status !== 202)
    throw new LateAnswer(`${request.method} ${request.url} is still on its way`)
  if (answer.status !== status)
    throw new Error(
      `${request.method} ${request.url} ${JSON.stringify(request.payload)}: ${answer.status}, not ${status}: ${JSON.stringify(answer.body)}`,
    )
  return answer
}

/** A deed or a change that nobody refused, parked or finished yet. */
function isOnItsWay({ body }: Answer): boolean {
  const change = body.change as { readonly state: string } | undefined
  return body.state === 'running' || change?.state === 'applying'
}

export function expectSame(what: string, found: unknown, wanted: unknown): void {
  if (isDeepStrictEqual(found, wanted)) return
  throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`)
}
