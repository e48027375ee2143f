/**
 * Numbers, durations, sizes, money and times as people read them. Pure.
 */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;

/** A duration that has ended, in seconds: `<0.1 s`, `0.8 s`, `12 s`, `1 m 12 s`, `2 h 5 m`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) {
    return '–';
  }
  if (seconds < 0.05) {
    return seconds === 0 ? '0 s' : '<0.1 s';
  }
  if (seconds < 9.95) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < MINUTE) {
    return `${whole} s`;
  }
  if (whole < HOUR) {
    return pair(whole, MINUTE, 'm', 1, 's');
  }
  if (whole < DAY) {
    return pair(whole, HOUR, 'h', MINUTE, 'm');
  }
  return pair(whole, DAY, 'd', HOUR, 'h');
}

function pair(
  seconds: number,
  large: number,
  largeUnit: string,
  small: number,
  smallUnit: string
): string {
  const first = Math.floor(seconds / large);
  const second = Math.floor((seconds % large) / small);
  return second === 0
    ? `${first} ${largeUnit}`
    : `${first} ${largeUnit} ${second} ${smallUnit}`;
}

/** A duration that goes on, in seconds, as a clock: `00:42`, `12:03`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const hours = Math.floor(whole / HOUR);
  const minutes = Math.floor((whole % HOUR) / MINUTE);
  const rest = two(whole % MINUTE);
  return hours > 0
    ? `${hours}:${two(minutes)}:${rest}`
    : `${two(minutes)}:${rest}`;
}

function two(n: number): string {
  return n.toString().padStart(2, '0');
}

/**
 * A number of bytes with three digits and a unit: `0 B`, `999 B`, `4.21 MB`, `12 GB`. The units are powers of 1024, as
 * in JupyterLab's file browser; `model/sizes.py` has the same.
 */
export function size(bytes: number): string {
  if (!Number.isFinite(bytes) || bytes < 0) {
    return '–';
  }
  if (bytes < 1024) {
    return `${Math.round(bytes)} B`;
  }
  const units = ['KB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes / 1024;
  let unit = 0;
  // 999.5 and more would be written with four digits.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = value < 999.5 ? Number(value.toPrecision(3)) : Math.round(value);
  return `${text} ${units[unit]}`;
}

/** US dollars: `$0`, `$0.012`, `$1.25`, `$1,204`; what is less than a tenth of a cent is `<$0.001`. */
export function money(dollars: number): string {
  if (!Number.isFinite(dollars) || dollars < 0) {
    return '–';
  }
  if (dollars === 0) {
    return '$0';
  }
  if (dollars < 0.001) {
    return '<$0.001';
  }
  if (dollars < 0.9995) {
    return `$${dollars.toFixed(3)}`;
  }
  if (dollars < 999.995) {
    return `$${dollars.toFixed(2)}`;
  }
  return `$${count(Math.round(dollars))}`;
}

/** A whole number with separators of thousands: `7,043`. */
export function count(n: number): string {
  return Math.round(n)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A measured value with four significant digits: `0.8430`, `12.50`, `1.234e-7`; null is what JSON has for NaN. */
export function value(n: number | null): string {
  if (n === null || Number.isNaN(n)) {
    return 'NaN';
  }
  if (!Number.isFinite(n)) {
    return n > 0 ? '∞' : '-∞';
  }
  if (Number.isInteger(n) && Math.abs(n) < 1e9) {
    return n < 0 ? `-${count(-n)}` : count(n);
  }
  const magnitude = Math.abs(n);
  if (magnitude >= 1e6 || magnitude < 1e-4) {
    return n.toExponential(3).replace('e+', 'e');
  }
  // Rounding may add a digit: 9.9996 is 10.00.
  const rounded = Number(n.toPrecision(4));
  const digits = 3 - Math.floor(Math.log10(Math.abs(rounded)));
  return digits > 0 ? rounded.toFixed(digits) : value(Math.round(n));
}

/** How long ago `moment` was, seen at `now` (both in ms since 1970): `just now`, `3 min ago`, `yesterday`, `12 Mar`. */
export function ago(moment: number, now: number): string {
  const seconds = (now - moment) / 1000;
  if (Number.isNaN(seconds)) {
    return '';
  }
  if (seconds < 45) {
    return 'just now';
  }
  if (seconds < 59.5 * MINUTE) {
    return `${Math.max(1, Math.round(seconds / MINUTE))} min ago`;
  }
  if (seconds < 23.5 * HOUR) {
    return `${Math.round(seconds / HOUR)} h ago`;
  }
  const days = Math.round(seconds / DAY);
  if (days < 2) {
    return 'yesterday';
  }
  if (days < 7) {
    return `${days} days ago`;
  }
  const then = new Date(moment);
  const sameYear = then.getFullYear() === new Date(now).getFullYear();
  return then.toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(sameYear ? {} : { year: 'numeric' })
  });
}

/** The exact time of `moment` (ms since 1970) in the reader's zone, for a title. */
export function exact(moment: number): string {
  return Number.isNaN(moment) ? '' : new Date(moment).toLocaleString();
}

/** A word for a number of things: `1 job`, `2 jobs`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}
