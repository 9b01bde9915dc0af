import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, realpath, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { canReach, type RunAs } from './run-as.ts'

/** Where root keeps clusters that the user who runs Postgres could not reach where they belong. */
const ROOT_PLACE = '/var/lib/lockstep'

/**
 * The real path of the cluster's own folder, made if it is not there. Root's clone under a 0700 home
 * is closed to the user who runs Postgres: the folder is then a link to one that is not.
 */
export async function prepareHome(directory: string, runAs: RunAs): Promise<string> {
  if (await lstat(directory).catch(() => undefined)) return realpath(directory)
  await mkdir(dirname(directory), { recursive: true })
  const home = join(await realpath(dirname(directory)), basename(directory))
  if (await canReach(runAs, home)) {
    await mkdir(home).catch(unlessThere)
    await chmod(home, 'uid' in runAs ? 0o711 : 0o700)
    return home
  }
  const elsewhere = join(ROOT_PLACE, `cluster-${randomBytes(6).toString('hex')}`)
  await mkdir(elsewhere, { recursive: true })
  await chmod(ROOT_PLACE, 0o755)
  await chmod(elsewhere, 0o711)
  await symlink(elsewhere, home).catch(unlessThere)
  // Of two that came at once both go where the first link leads; the other folder stays empty.
  return realpath(home)
}

/** Somebody who started at the same moment was faster. */
function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
}

/** Makes a file or folder theirs. */
export async function giveTo(runAs: RunAs, path: string): Promise<void> {
  if ('uid' in runAs) await chown(path, runAs.uid, runAs.gid)
}
