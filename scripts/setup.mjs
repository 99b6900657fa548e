/**
 * Runs before `npm start`, `npm run dev`, `npm run gatehouse` and `npm test`: installs what is missing, asks nothing, and
 * is quick and silent when nothing is. The standard output is left to what runs next. Uses nothing but Node ≥ 20, since
 * it runs before the first install.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import process from 'node:process'

const forTests = process.argv.includes('--test')

installPackages()
checkNode()
if (forTests) installChromium()

function installPackages() {
  if (isInstalled()) return
  say('Installing the packages of package-lock.json (once, about half a minute) …')
  const { status } = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (status !== 0) stop('`npm ci` failed; see its message above')
}

/**
 * Whether node_modules holds what package-lock.json names, the tools of development only where they are needed. npm keeps
 * its own list of what it installed.
 */
function isInstalled() {
  const wanted = readLock('package-lock.json')
  const present = readLock('node_modules/.package-lock.json')
  if (!wanted || !present) return false
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || entry.optional || (entry.dev && !forTests) || present[path]?.version === entry.version,
  )
}

function readLock(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** The pinned Node comes with the packages; where there is none for this platform, the system's must do. */
function checkNode() {
  const { stdout } = spawnSync('node', ['--version'], { encoding: 'utf8', env: withBin() })
  const major = Number(/^v(\d+)\./.exec(stdout ?? '')?.[1] ?? 0)
  if (major < 24) {
    stop(
      `Gatehouse needs Node 24 or newer, and no packaged one fits this platform; found ${stdout?.trim() || 'none'}. Install it from https://nodejs.org`,
    )
  }
}

function installChromium() {
  if (chromiumPath()) return
  const apt = existsSync('/usr/bin/apt-get') && asRoot()
  if (apt) {
    say('Installing Chromium for the browser tests (once) …')
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const install = () =>
      run(apt[0], [...apt.slice(1), 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium'], env)
    if (install().status !== 0) {
      run(apt[0], [...apt.slice(1), 'apt-get', 'update', '-qq'], env)
      install()
    }
  }
  if (!chromiumPath()) {
    say(
      'Chromium was not found, so the browser tests will be skipped. Install it (`apt-get install chromium`, or any Chrome) or name it in CHROMIUM_PATH.',
    )
  }
}

function chromiumPath() {
  const places = [
    process.env.CHROMIUM_PATH,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ]
  return places.find((place) => place && existsSync(place))
}

/** The words to put before a command that needs root; `undefined` where root cannot be had without asking. */
function asRoot() {
  if (process.getuid?.() === 0) return ['env']
  const { status } = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' })
  return status === 0 ? ['sudo', '-n', 'env'] : undefined
}

function run(command, args, env = process.env) {
  return spawnSync(command, args, { stdio: ['ignore', process.stderr.fd, 'inherit'], env })
}

function withBin() {
  return { ...process.env, PATH: `${process.cwd()}/node_modules/.bin:${process.env.PATH ?? ''}` }
}

function say(text) {
  process.stderr.write(`${text}\n`)
}

function stop(text) {
  say(text)
  process.exit(1)
}
