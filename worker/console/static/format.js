// Numbers and times as people read them. What nobody knows is a dash.

const DASH = "–";
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export const isKnown = (number) => number !== null && number !== undefined;

export function count(number) {
  return isKnown(number) ? whole.format(number) : DASH;
}

// 12.3k for axes and narrow places.
export function brief(number) {
  if (!isKnown(number)) return DASH;
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (Math.abs(number) >= size) return `${trimmed(number / size)}${unit}`;
  }
  return trimmed(number);
}

function trimmed(number) {
  const digits = Math.abs(number) >= 100 || Number.isInteger(number) ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  return number.toFixed(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

export function rate(number) {
  if (!isKnown(number)) return DASH;
  if (number === 0) return "0";
  return number >= 10 ? count(number) : number.toFixed(1);
}

export function seconds(number) {
  if (!isKnown(number)) return DASH;
  if (number < 1) return `${Math.round(number * 1000)} ms`;
  if (number < 10) return `${number.toFixed(1)} s`;
  return span(number);
}

export function span(number) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];
  for (const [index, [size, unit]] of units.entries()) {
    if (number < size) continue;
    const smaller = units[index + 1];
    const rest = smaller ? Math.floor((number % size) / smaller[0]) : 0;
    return `${Math.floor(number / size)} ${unit}${rest ? ` ${rest} ${smaller[1]}` : ""}`;
  }
  return `${Math.floor(number)} s`;
}

export function usd(number) {
  if (!isKnown(number)) return DASH;
  if (number === 0) return "$0.00";
  if (Math.abs(number) < 0.01) return `$${number.toFixed(4)}`;
  return `$${number.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

// A day's bill; without a price its tokens.
export function spent(day) {
  if (!day) return DASH;
  if (isKnown(day.usd)) return usd(day.usd);
  return day.tokens ? `${brief(day.tokens)} tokens` : usd(0);
}

export function percent(share) {
  return isKnown(share) ? `${Math.round(share * 100)} %` : DASH;
}

export function bytes(number) {
  if (!isKnown(number)) return DASH;
  return number < 1024 ? `${number} B` : number < 1048576 ? `${(number / 1024).toFixed(1)} KiB` : `${(number / 1048576).toFixed(1)} MiB`;
}

export function ago(ms, now = Date.now()) {
  if (!isKnown(ms)) return DASH;
  const passed = Math.max(0, (now - ms) / 1000);
  return passed < 5 ? "just now" : `${span(passed)} ago`;
}

const two = (number) => String(number).padStart(2, "0");

export function clock(ms) {
  const when = new Date(ms);
  return `${two(when.getHours())}:${two(when.getMinutes())}`;
}

export function moment(ms) {
  if (!isKnown(ms)) return DASH;
  const when = new Date(ms);
  const day = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
  return `${day} ${clock(ms)}:${two(when.getSeconds())}`;
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
