import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { ProxyConfig } from '../../proxy/config.ts'

const dayMilliseconds = 24 * 3_600_000
const megabyte = 1024 * 1024

/** A log file that is exchanged when it is full. */
export interface RotatingFile {
  write(text: string): void
  close(): void
}

/**
 * Opens `logging_filename` as lumberjack does: at `logging_max_size` megabytes the file is set aside as
 * `name-2006-01-02T15-04-05.000.log`, compressed if wanted; those beyond `logging_max_backups` or older than
 * `logging_max_age` days are deleted. Zero switches either limit off. @throws where the file cannot be opened.
 */
export function openRotatingFile(config: ProxyConfig, now: () => number): RotatingFile {
  const { logging_filename: path, logging_max_size: megabytes } = config
  const limit = (megabytes || 100) * megabyte
  mkdirSync(dirname(path), { recursive: true })
  let file = openSync(path, 'a', 0o600)
  let size = fstatSync(file).size

  function rotate(): void {
    closeSync(file)
    const backup = backupName(path, new Date(now()), config.logging_local_time)
    renameSync(path, backup)
    file = openSync(path, 'a', 0o600)
    size = 0
    tidy(config, now())
    // A failure to compress loses nothing: the backup stays as it is.
    if (config.logging_compress) compress(backup).catch(() => rmSync(`${backup}.gz`, { force: true }))
  }

  return {
    write(text) {
      const bytes = Buffer.from(text, 'utf8')
      if (size > 0 && size + bytes.length > limit) rotate()
      writeSync(file, bytes)
      size += bytes.length
    },
    close: () => closeSync(file),
  }
}

async function compress(backup: string): Promise<void> {
  await pipeline(createReadStream(backup), createGzip(), createWriteStream(`${backup}.gz`, { mode: 0o600 }))
  rmSync(backup)
}

function backupName(path: string, date: Date, isLocal: boolean): string {
  const shifted = isLocal ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date
  const stamp = shifted.toISOString().replace('Z', '').replaceAll(':', '-')
  const extension = extname(path)
  return join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`)
}

function tidy({ logging_filename: path, logging_max_age: days, logging_max_backups: most }: ProxyConfig, now: number) {
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const backups = readdirSync(dirname(path))
    .map((name) => ({ name, time: backupTime(name, prefix) }))
    .filter(({ name, time }) => time !== undefined && name.replace(/\.gz$/, '').endsWith(extension))
    .toSorted((a, b) => (b.time ?? 0) - (a.time ?? 0))
  for (const [index, { name, time = now }] of backups.entries()) {
    const isTooMany = most > 0 && index >= most
    if (isTooMany || (days > 0 && time < now - days * dayMilliseconds)) rmSync(join(dirname(path), name))
  }
}

function backupTime(name: string, prefix: string): number | undefined {
  if (!name.startsWith(prefix)) return undefined
  const [, day, hour, minute, second] =
    /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})/.exec(name.slice(prefix.length)) ?? []
  return day === undefined ? undefined : Date.parse(`${day}T${hour}:${minute}:${second}Z`)
}
