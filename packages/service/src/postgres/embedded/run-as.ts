import { readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CannotStart } from '../../cannot-start.ts'

/** The user that Postgres runs as, in the shape that `spawn` takes. Empty: whoever we are. */
export type RunAs = { readonly uid: number; readonly gid: number } | Record<never, never>

/**
 * Postgres refuses to run as root, so root runs it as somebody else: the owner of an existing cluster,
 * or else a user every Linux has. It has to stand in /etc/passwd, because initdb asks for its name.
 */
export async function chooseRunAs(dataDirectory: string): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {}
  const owner = await stat(dataDirectory).catch(() => undefined)
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  const users = parsePasswd(await readFile('/etc/passwd', 'utf8').catch(() => ''))
  const user =
    users.get('postgres') ?? users.get('nobody') ?? [...users.values()].find(({ uid }) => uid !== 0)
  if (user) return user
  throw new CannotStart(
    'Postgres does not run as root, and /etc/passwd names no other user to run it as.',
    'Start Lockstep as an ordinary user, add one (useradd postgres), or set DATABASE_URL to a Postgres of your own.',
  )
}

function parsePasswd(text: string): Map<string, { uid: number; gid: number }> {
  const users = new Map<string, { uid: number; gid: number }>()
  for (const line of text.split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name && uid && gid && uid !== '0') users.set(name, { uid: Number(uid), gid: Number(gid) })
  }
  return users
}

/** Whether that user may walk down to `path`: no folder above it is closed to it, as a 0700 home is. */
export async function canReach(runAs: RunAs, path: string): Promise<boolean> {
  if (!('uid' in runAs)) return true
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder)
    const search = uid === runAs.uid ? 0o100 : gid === runAs.gid ? 0o010 : 0o001
    if ((mode & search) === 0) return false
    if (folder === dirname(folder)) return true
  }
}
