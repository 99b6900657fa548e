import type { Clock } from '../kit/clock.ts'
import type { Journal } from './journal.ts'
import type { RedisConnection } from './redis.ts'
import { redisLife } from './redis-life.ts'
import type { RedisWatch } from './redis-watch.ts'

/**
 * ARGV: entry, expiry, now, milliseconds to live. Positions are microseconds of Redis' clock, so that they grow even after
 * a journal was lost; a dead line is removed from the front at each turn.
 */
const appendScript = `local last = redis.call('zrevrange', KEYS[1], 0, 0, 'withscores')[2]
local time = redis.call('time')
local position = tonumber(time[1]) * 1000000 + tonumber(time[2])
if last and position <= tonumber(last) then position = tonumber(last) + 1 end
for _, line in ipairs(redis.call('zrange', KEYS[1], 0, 9)) do
if cjson.decode(line)[2] > tonumber(ARGV[3]) then break end
redis.call('zrem', KEYS[1], line)
end
local text = string.format('%.0f', position)
redis.call('zadd', KEYS[1], text, '[' .. text .. ',' .. ARGV[2] .. ',' .. ARGV[1] .. ']')
if redis.call('pttl', KEYS[1]) < tonumber(ARGV[4]) then redis.call('pexpire', KEYS[1], ARGV[4]) end
return 1`

/** A journal in Redis: a sorted set of lines `[position, expiry, entry]` by position. */
export function openRedisJournal<Entry>(
  key: string,
  {
    redis,
    clock,
    watch,
  }: { readonly redis: RedisConnection; readonly clock: Clock; readonly watch?: RedisWatch | undefined },
): Journal<Entry> {
  return {
    async append(entry, expiresAt) {
      const life = redisLife(expiresAt, clock)
      await redis.command('eval', appendScript, 1, key, JSON.stringify(entry), expiresAt, clock.now(), life)
    },
    async readAfter(position) {
      const lines = (await redis.command('zrangebyscore', key, `(${position}`, '+inf')) as readonly Buffer[]
      return lines
        .map((line) => JSON.parse(String(line)) as [number, number, Entry]) // as written above
        .map(([at, expiresAt, entry]) => ({ position: at, expiresAt, entry }))
        .filter(({ expiresAt }) => expiresAt > clock.now())
    },
    onAppend(listener) {
      watch?.listen((changed) => {
        if (changed === undefined || changed === key) listener()
      })
    },
  }
}
