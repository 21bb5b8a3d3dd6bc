"use strict";

{
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--color-${name}`).trim();
  const faded = (name, share) => `color-mix(in oklab, ${colour(name)} ${share}%, transparent)`;

  const units = [
    [3_600_000, "hour"],
    [60_000, "minute"],
    [1000, "second"],
    [0, "millisecond"],
  ];
  const milliseconds = (value) => {
    const [size, unit] = units.find(([least]) => value >= least);
    const style = { style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 3 };
    return new Intl.NumberFormat(root.lang, style).format(size ? value / size : value);
  };
  const plain = new Intl.NumberFormat(root.lang, { maximumSignificantDigits: 3 });
  const amount = (value, unit) => {
    if (value === null || value === undefined) return "–";
    return unit === "ms" ? milliseconds(value) : plain.format(value);
  };
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = { month: "short", day: "numeric" };
  const format = (style) => {
    const formatter = new Intl.DateTimeFormat(root.lang, style);
    return (seconds) => formatter.format(seconds * 1000);
  };
  const moment = format({ ...day, ...clock });
  const ticks = { time: format(clock), day: format(day) };

  const zoom = (from, to) => {
    const url = new URL(location.href);
    for (const name of ["range", "after", "before"]) url.searchParams.delete(name);
    url.searchParams.set("from", Math.floor(from));
    url.searchParams.set("to", Math.ceil(to));
    location.assign(url);
  };

  const draw = (place) => {
    const data = JSON.parse(place.dataset.chart);
    const count = data.lines[0].values.length;
    const starts = Array.from({ length: count }, (_, i) => data.start + i * data.step);
    const axis = { stroke: faded("base-content", 75), grid: { stroke: colour("base-300"), width: 1 } };
    const font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const long = count * data.step > 172_800;
    place.replaceChildren();
    return new uPlot(
      {
        width: place.clientWidth,
        height: place.clientHeight,
        legend: { show: false },
        cursor: {
          sync: { key: "time" },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
        },
        scales: { x: { time: true }, y: { range: (_, __, most) => [0, most || 1] } },
        axes: [
          {
            ...axis,
            font,
            size: 32,
            values: (_, splits) => splits.map(long ? ticks.day : ticks.time),
          },
          { ...axis, font, size: 56, values: (_, splits) => splits.map((v) => amount(v, data.unit)) },
        ],
        series: [
          {},
          ...data.lines.map((line) => ({
            label: line.label,
            stroke: colour(line.colour),
            fill: line.filled ? faded(line.colour, 18) : undefined,
            width: 1.5,
            paths: uPlot.paths.stepped({ align: 1 }),
            points: {
              show: false,
              filter: (chart, number) => alone(chart.data[number]),
              size: 5,
              fill: colour(line.colour),
            },
          })),
        ],
        hooks: {
          ready: [(chart) => tip(chart, data)],
          setSelect: [
            (chart) => {
              const { left, width } = chart.select;
              if (width > 3) zoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
            },
          ],
        },
      },
      [starts, ...data.lines.map((line) => line.values)],
      place,
    );
  };

  const alone = (values) => {
    const missing = (i) => values[i] === null || values[i] === undefined;
    return [...values.keys()].filter((i) => !missing(i) && missing(i - 1) && missing(i + 1));
  };

  const tip = (chart, data) => {
    const box = document.createElement("div");
    box.className = "chart-tip";
    box.hidden = true;
    chart.over.append(box);
    const move = () => {
      const { left, idx } = chart.cursor;
      box.hidden = left < 0 || idx === null || idx === undefined;
      if (box.hidden) return;
      const lines = data.lines.map((line) => `${line.label}: ${amount(line.values[idx], data.unit)}`);
      box.replaceChildren(
        ...[moment(chart.data[0][idx]), ...lines].map((text) => {
          const line = document.createElement("div");
          line.textContent = text;
          return line;
        }),
      );
      box.style.left = `${Math.min(left + 12, chart.over.clientWidth - box.offsetWidth)}px`;
    };
    (chart.hooks.setCursor ??= []).push(move);
  };

  if (window.uPlot) {
    const charts = new Map();
    const drawAll = () => {
      for (const place of document.querySelectorAll("[data-chart]")) {
        charts.get(place)?.destroy();
        charts.set(place, draw(place));
      }
    };
    drawAll();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    let waiting;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        for (const [place, chart] of charts) {
          chart.setSize({ width: place.clientWidth, height: place.clientHeight });
        }
      }, 100);
    });
  }
}

{
  const openRow = () => document.querySelector("details[data-row][open]")?.dataset.row;
  const byItself = new URL(location.href).searchParams.has("row") ? "" : openRow();
  const keep = (event) => {
    if (!event.target.matches("details[data-row]")) return;
    const url = new URL(location.href);
    const row = openRow();
    if (row === byItself) url.searchParams.delete("row");
    else url.searchParams.set("row", row ?? 0);
    history.replaceState(history.state, "", url);
  };
  document.addEventListener("toggle", keep, true);

  document.addEventListener("htmx:config:request", (event) => {
    const { request, sourceElement, sourceEvent } = event.detail.ctx;
    if (sourceEvent?.type === "every" && sourceElement.closest("#trace-body")) {
      request.action = location.pathname + location.search;
    }
  });
}
