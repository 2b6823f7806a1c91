/** The day of the time that was written last, of which most others are: making a date costs more than all the rest. */
let known = { day: Number.NaN, text: '' };

/**
 * Seconds since 1970, of at most twelve digits, as RFC 3339 text. Above the year 9999 the year has a sign and six
 * digits (ISO 8601).
 */
export function rfc3339(seconds: number): string {
  const day = Math.floor(seconds / 86_400);
  if (day !== known.day) {
    known = { day, text: new Date(day * 86_400_000).toISOString().slice(0, -'00:00:00.000Z'.length) };
  }
  const second = seconds - day * 86_400;
  return `${known.text}${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}Z`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
