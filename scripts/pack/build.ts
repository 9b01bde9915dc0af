import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Manifest {
  name: string
  exports?: Record<string, unknown>
  bin?: Record<string, string>
  dependencies?: Record<string, string>
  scripts?: Record<string, string>
}

/** Those that others install, each after the ones it needs. Node strips no types below `node_modules`. */
export const publishable = ['core', 'api', 'sdk', 'stripe-simulator', 'cli']

/** The packages and those of ours that they need, each after the ones it needs. */
export async function withOurs(names: readonly string[]): Promise<string[]> {
  const wanted = new Set(names)
  // From the last to the first: whoever needs one comes after it.
  for (const name of publishable.toReversed()) {
    if (!wanted.has(name)) continue
    const { dependencies = {} } = await manifestOf(name)
    for (const other of publishable) if (`@lockstep/${other}` in dependencies) wanted.add(other)
  }
  return publishable.filter((name) => wanted.has(name))
}

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8')) as Manifest
}

/**
 * Emits one package as JavaScript and declarations into `stage`, the way it is published, and answers
 * the path of its tarball. The packages staged before are what it is compiled against.
 */
export async function buildPackage(name: string, stage: string): Promise<string> {
  const source = join(root, 'packages', name)
  const manifest = await manifestOf(name)
  const target = join(stage, 'node_modules', manifest.name)
  await mkdir(target, { recursive: true })
  await linkDependencies(manifest, stage)
  await compile(source, target, join(stage, 'src', name))
  await writeFile(join(target, 'package.json'), JSON.stringify(published(manifest), null, 2))
  await copyIfThere(join(source, 'README.md'), join(target, 'README.md'))
  await cp(join(root, 'LICENSE'), join(target, 'LICENSE'))
  const output = await run('npm', ['pack', '--json', '--pack-destination', stage], { cwd: target })
  const [packed] = JSON.parse(output) as [{ filename: string }]
  return join(stage, packed.filename)
}

async function compile(source: string, target: string, workspace: string): Promise<void> {
  const filter = (path: string) => !path.endsWith('.test.ts')
  await cp(join(source, 'src'), join(workspace, 'src'), { recursive: true, filter })
  // It says that these are ES modules; without it they would be emitted as CommonJS.
  await cp(join(source, 'package.json'), join(workspace, 'package.json'))
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      // `npm run check` has checked it all; here the service, which is not published, is not there.
      noCheck: true,
      rootDir: join(workspace, 'src'),
      outDir: join(target, 'dist'),
      types: ['node'],
    },
    include: [join(workspace, 'src')],
  }
  await writeFile(join(workspace, 'tsconfig.json'), JSON.stringify(config))
  await run('tsc', ['--project', join(workspace, 'tsconfig.json')], { cwd: root })
}

/** What stands in the registry is linked from the clone; our own packages are staged already. */
async function linkDependencies({ dependencies = {} }: Manifest, stage: string): Promise<void> {
  for (const name of [...Object.keys(dependencies), '@types/node', '@types/qs']) {
    const link = join(stage, 'node_modules', name)
    await mkdir(dirname(link), { recursive: true })
    if ((await readdir(dirname(link))).includes(name.split('/').at(-1) ?? '')) continue
    await symlink(join(root, 'node_modules', name), link)
  }
}

/** The same package, its entries in `dist`: types first, as TypeScript asks. Its scripts are of the sources. */
function published(manifest: Manifest): Manifest {
  const entry = (path: string) => {
    const emitted = path.replace('./src/', './dist/').replace(/\.ts$/, '')
    return { types: `${emitted}.d.ts`, default: `${emitted}.js` }
  }
  const { exports = {}, bin = {}, scripts: _, ...rest } = manifest
  return {
    ...rest,
    exports: Object.fromEntries(Object.entries(exports).map(([name, path]) => [name, entry(String(path))])),
    ...(manifest.bin && {
      bin: Object.fromEntries(Object.entries(bin).map(([name, path]) => [name, entry(path).default])),
    }),
  }
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await cp(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
