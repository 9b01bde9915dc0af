import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** What `lockstep start` needs again, and tells the other commands. */
export interface LocalInstallation {
  readonly url: string
  readonly apiKey: string
  readonly simulatorUrl?: string
  readonly webhookSecret?: string
  /** Signs previews and links; missing in what was started before there were any. */
  readonly secret?: string
  /** The example customers are loaded once; an interrupted loading goes on at the next start. */
  readonly demo?: 'loading' | 'loaded'
}

/** Everything of an installation on this machine lies in one folder, below where it was started. */
export const localFolder = process.env.LOCKSTEP_DATA || '.lockstep'

/** Looks here and in the folders above, as git does. */
export function findLocalInstallation(from = process.cwd()): LocalInstallation | undefined {
  const above = dirname(from)
  return readLocalInstallation(from) ?? (above === from ? undefined : findLocalInstallation(above))
}

/** What stands in this folder, if anything was started in it. */
export function readLocalInstallation(folder = process.cwd()): LocalInstallation | undefined {
  const file = resolve(folder, localFolder, 'local.json')
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as LocalInstallation) : undefined
}

/** Written at once or not at all; only the owner reads it, as it holds a key. */
export function writeLocalInstallation(installation: LocalInstallation, folder = process.cwd()): void {
  const directory = resolve(folder, localFolder)
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'local.json')
  writeFileSync(`${file}.new`, `${JSON.stringify(installation, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
