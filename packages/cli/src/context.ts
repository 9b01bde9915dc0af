import { type Client, createClient } from '@lockstep/sdk'
import type { Command } from 'commander'
import { findLocalInstallation } from './local-installation.ts'
import { Output } from './output/output.ts'
import { UsageError } from './usage-error.ts'

interface GlobalOptions {
  readonly url?: string
  readonly key?: string
  readonly json?: boolean
}

export interface Context {
  readonly client: Client
  readonly output: Output
}

/** Who is asked, with which key, and how to answer: from the options, the environment, or the installation here. */
export function contextOf(command: Command): Context {
  const { url, key, json = false } = command.optsWithGlobals<GlobalOptions>()
  const local = findLocalInstallation()
  const baseUrl = url ?? process.env.LOCKSTEP_URL ?? local?.url
  if (!baseUrl) {
    throw new UsageError(
      'There is no service to talk to.',
      'Start one with `npm start`, or name one with --url or LOCKSTEP_URL.',
    )
  }
  // The local key belongs to the local service; it is shown to no other.
  const localKey = baseUrl === local?.url ? local.apiKey : undefined
  const apiKey = key ?? process.env.LOCKSTEP_API_KEY ?? localKey
  return {
    client: createClient({ baseUrl: checkedUrl(baseUrl), ...(apiKey && { apiKey }) }),
    output: new Output({ json }),
  }
}

function checkedUrl(text: string): string {
  const remedy = 'Write it like http://127.0.0.1:4000.'
  if (!URL.canParse(text)) throw new UsageError(`This is not an address: ${text}`, remedy)
  if (!/^https?:$/.test(new URL(text).protocol)) throw new UsageError(`Only http and https: ${text}`, remedy)
  return text
}
