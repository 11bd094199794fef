// Plots: each element with data-plot fetches its data and draws it; all colours come from the style sheet.
"use strict";

const charts = new Map();
const narrow = matchMedia("(max-width: 640px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// Colours, resolved from the style sheet's variables for the theme in force.
const probe = document.createElement("span");
probe.hidden = true;
function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
const faded = (rgb, share) => rgb.replace("rgb(", "rgba(").replace(")", `, ${share})`);
const series = (at) => colour(`series-${(at % 8) + 1}`);

// Figures in words, as the rest of the page writes them.
const STEPS = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1 };
function number(value, digits = 3) {
  if (!value) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return Number(value.toPrecision(digits)).toExponential();
  return size >= 10 ** (digits - 1) ? value.toFixed(0) : String(Number(value.toPrecision(digits)));
}
function figure(value, unit) {
  if (!(unit in STEPS)) return `${number(value)} ${unit}`.trim();
  const seconds = value * STEPS[unit];
  const name = ["s", "ms", "us"].find((one) => seconds >= STEPS[one]) ?? "ns";
  return `${number(seconds / STEPS[name])} ${name}`;
}
function elapsed(seconds) {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

async function told(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return answer.json();
}

// What all plots share.
function ground() {
  const ink = colour("ink"), muted = colour("muted"), line = colour("line");
  const axis = {
    axisLine: { lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: muted, fontSize: 11.5, hideOverlap: true },
    nameTextStyle: { color: muted, fontSize: 11.5 },
    splitLine: { lineStyle: { color: line, opacity: 0.75 } },
  };
  return {
    ink, muted, line, axis,
    option: {
      animation: false,
      aria: { enabled: true },
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: ink },
      grid: { left: 12, right: 18, top: 34, bottom: 26, containLabel: true },
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: colour("card"), borderColor: colour("edge"), borderWidth: 1, padding: [7, 10],
        textStyle: { color: ink, fontSize: 12, fontFamily: getComputedStyle(document.body).fontFamily },
      },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, itemGap: 14, itemStyle: { opacity: 1 }, textStyle: { color: muted, fontSize: 12 }, type: "scroll", pageIconColor: muted, pageTextStyle: { color: muted } },
    },
  };
}

// Ticks of a logarithmic axis at 1, 2 and 5, of which decades alone would leave too few.
function steps(low, high) {
  const found = [];
  for (let at = Math.floor(Math.log10(low)); at <= Math.log10(high); at += 1) for (const one of high / low > 1000 ? [1] : [1, 2, 5]) found.push(one * 10 ** at);
  return found.filter((one) => one >= low && one <= high);
}

const wide = (values) => Math.min(...values) > 0 && Math.max(...values) > 20 * Math.min(...values);
const goTo = (job, candidate) => { if (candidate) location.href = `/jobs/${job}/candidates/${candidate}`; };

// Best so far, against trials or time.
const progress = {
  async load(place, kept) {
    const found = await told(`${place.dataset.src}?after=${kept?.points.length ?? 0}`);
    if (!kept || found.total < kept.points.length) return { ...found, points: found.points };
    return { ...found, points: kept.points.concat(found.points) };
  },
  draw(chart, data, place) {
    const { option, axis, muted } = ground();
    const by = across() === "time" ? 1 : 0;
    const good = data.points.filter((p) => p[2] !== null), bad = data.points.filter((p) => p[2] === null);
    if (!good.length) return false;
    const better = (a, b) => (data.minimise ? a < b : a > b);
    const best = [];
    let leader = null;
    for (const p of good) {
      if (leader === null || better(p[2], leader)) { leader = p[2]; best.push([p[by], leader]); }
    }
    const end = data.points[data.points.length - 1][by];
    best.push([end, leader]);
    const values = good.map((p) => p[2]);
    const log = wide(values);
    const used = data.families.filter((_, at) => good.some((p) => p[3] === at));
    const clouds = used.map((name) => {
      const at = data.families.indexOf(name);
      return {
        type: "scatter", name, symbolSize: good.length > 1500 ? 3.5 : 7, itemStyle: { color: series(at), opacity: good.length > 400 ? 0.45 : 0.75 },
        data: good.filter((p) => p[3] === at).map((p) => [p[by], p[2], p[4], p[0]]), large: good.length > 3000, z: 2,
      };
    });
    const low = Math.min(...values), high = Math.max(...values);
    const pad = log ? { min: low / 1.25, max: high * 1.15 } : { min: low - 0.08 * (high - low || low || 1), max: high + 0.06 * (high - low || low || 1) };
    chart.setOption({
      ...option,
      grid: { ...option.grid, bottom: data.points.length > 150 ? 62 : 26 },
      xAxis: { ...axis, type: "value", min: by ? 0 : 1, max: Math.max(end, by ? 1 : 2), splitLine: { show: false }, minInterval: by ? undefined : 1,
        axisLabel: { ...axis.axisLabel, formatter: by ? elapsed : (v) => v.toLocaleString("en") } },
      yAxis: { ...axis, type: log ? "log" : "value", ...pad, name: narrow.matches ? "" : log ? `${data.metric}, logarithmic` : data.metric, nameLocation: "end", nameGap: 14, nameTextStyle: { ...axis.nameTextStyle, align: "left", padding: [0, 0, 0, -30] },
        show: true, axisTick: { show: false, customValues: log ? steps(pad.min, pad.max) : undefined },
        axisLabel: { ...axis.axisLabel, showMinLabel: log, showMaxLabel: log, customValues: log ? steps(pad.min, pad.max) : undefined, formatter: (v) => figure(v, data.unit) } },
      legend: { ...option.legend, data: ["best so far", ...used, ...(bad.length ? ["without a figure"] : [])], left: narrow.matches ? 0 : "right", padding: [0, 0, 0, narrow.matches ? 0 : 160] },
      dataZoom: data.points.length > 150 ? [{ type: "inside", filterMode: "none" }, { type: "slider", height: 20, bottom: 8, filterMode: "none", borderColor: colour("line"), fillerColor: faded(colour("first"), 0.12), handleStyle: { color: colour("card"), borderColor: colour("edge") }, moveHandleSize: 0, dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } }, selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } }, showDetail: false, backgroundColor: colour("sunk"), brushSelect: false }] : [],
      tooltip: { ...option.tooltip, trigger: "item", formatter: (p) => {
        if (p.seriesName === "best so far") return `best so far\n${figure(p.value[1], data.unit)}`;
        const point = data.points[p.value[3] - 1];
        const fell = point[2] === null ? point[5].replaceAll("_", " ") : figure(point[2], data.unit);
        return `#${point[0]} ${data.families[point[3]]}\n${fell}\nat ${elapsed(point[1])}`;
      } },
      series: [
        ...clouds,
        { type: "line", name: "best so far", step: "end", data: best, symbol: "none", lineStyle: { color: colour("ink"), width: 2 }, itemStyle: { color: colour("ink") }, z: 3,
          markLine: data.baseline === null || data.baseline > pad.max || data.baseline < pad.min ? undefined : { silent: true, symbol: "none", lineStyle: { color: muted, type: "dashed" }, label: { formatter: "baseline", color: muted, fontSize: 11, position: "insideEndTop" }, data: [{ yAxis: data.baseline }] } },
        { type: "scatter", name: "without a figure", symbol: "path://M0 0L8 8M8 0L0 8", symbolSize: bad.length > 200 ? 4 : 7, itemStyle: { color: "none", borderColor: colour("bad"), borderWidth: bad.length > 200 ? 1 : 1.4, opacity: bad.length > 200 ? 0.55 : 1 }, data: bad.map((p) => [p[by], pad.min, p[4], p[0]]), z: 2, clip: false },
      ],
    }, { notMerge: !place.dataset.kept || place.dataset.kept !== String(by), replaceMerge: ["series"] });
    place.dataset.kept = String(by);
    place.dataset.points = String(data.points.length);
    return true;
  },
  click: (place, event) => goTo(place.dataset.job, event.value?.[2]),
};

// Ceilings of the device, and what candidates attain under them.
const roofline = {
  load: (place) => told(place.dataset.src),
  draw(chart, data) {
    if (!data) return false;
    const { option, axis, muted, ink } = ground();
    const at = [data.intensity, data.ridge_low, data.ridge_high, ...data.points.map((p) => p[0])];
    const low = 10 ** Math.floor(Math.log10(Math.min(...at) / 2)), high = 10 ** Math.ceil(Math.log10(Math.max(...at) * 2));
    const roof = [[low, low * data.bandwidth], [data.ridge, data.peak], [high, data.peak]];
    const least = Math.min(...data.points.map((p) => p[1]), roof[0][1], data.peak / 50);
    const families = [...new Set(data.points.map((p) => p[2]))];
    const kind = data.attained ? "attained" : "upper bound";
    chart.setOption({
      ...option,
      grid: { ...option.grid, top: 52, bottom: 40 },
      legend: { ...option.legend, data: families },
      xAxis: { ...axis, type: "log", min: low, max: high, name: "FLOP/byte", nameLocation: "middle", nameGap: 26, axisLabel: { ...axis.axisLabel, formatter: (v) => number(v) } },
      yAxis: { ...axis, type: "log", min: 10 ** Math.floor(Math.log10(least)), max: 10 ** Math.ceil(Math.log10(1.05 * Math.max(data.peak, ...data.points.map((p) => p[1])))), axisLabel: { ...axis.axisLabel, formatter: (v) => `${number(v)}` }, name: "GFLOP/s", nameTextStyle: { ...axis.nameTextStyle, align: "left", padding: [0, 0, 0, -26] }, nameGap: 14, nameLocation: "end" },
      tooltip: { ...option.tooltip, formatter: (p) => (p.seriesType === "scatter" ? `${p.seriesName}\n${kind} ${number(p.value[1])} GFLOP/s\nat ${number(p.value[0])} FLOP/byte${data.assumed && p.value[0] === data.intensity ? ", assumed" : ""}` : "") },
      series: [
        { type: "line", name: "roof", data: roof, symbol: "none", silent: true, lineStyle: { color: ink, width: 2 }, z: 3, areaStyle: { color: faded(colour("first"), 0.05), origin: "start" },
          markPoint: { silent: true, symbol: "rect", symbolSize: 0.1, label: { color: muted, fontSize: 11.5, distance: 6 }, data: [
            { coord: [high, data.peak], label: { formatter: `${number(data.peak)} GFLOP/s`, position: "left", offset: [-4, -10] } },
            { coord: [Math.sqrt(low * data.ridge), Math.sqrt(low * data.ridge) * data.bandwidth], label: { formatter: `${number(data.bandwidth)} GB/s`, position: "right", offset: [2, 10] } } ] },
          markArea: { silent: true, itemStyle: { color: faded(muted, 0.1) }, label: { color: muted, fontSize: 11, position: "insideBottom" }, data: data.ridge_high > data.ridge_low ? [[{ name: "the ridge is in here", xAxis: data.ridge_low }, { xAxis: data.ridge_high }]] : [] },
          markLine: { silent: true, symbol: "none", lineStyle: { color: muted, type: "dashed" }, label: { formatter: "minimal traffic", color: muted, fontSize: 11, position: "insideStartTop", rotate: 90 }, data: [{ xAxis: data.intensity }] } },
        ...families.map((name, place) => ({ type: "scatter", name, symbolSize: 8, data: data.points.filter((p) => p[2] === name).map((p) => [p[0], p[1], p[3]]), large: data.points.length > 3000,
          itemStyle: data.attained ? { color: series(place), opacity: 0.7 } : { color: "none", borderColor: series(place), borderWidth: 1.4 } })),
      ],
    }, true);
    return true;
  },
  click: (place, event) => goTo(place.dataset.job, event.value?.[2]),
};

// One line a configuration; a range kept on an axis is listed below the plot.
const parallel = {
  load: (place) => told(place.dataset.src),
  draw(chart, data, place) {
    if (!data) return false;
    const { option, axis, muted, line } = ground();
    const good = Math.max(1, Math.floor(data.rows.length / 10));
    const values = data.rows.map((r) => r[1]);
    const log = wide(values);
    const label = (v) => (data.screened ? number(v) : figure(v, data.unit));
    const lines = data.rows.map((r, at) => ({
      value: [...r[0], r[1]],
      lineStyle: at === 0 ? { color: colour("good"), width: 3, opacity: 1 } : at < good ? { color: colour("first"), width: 1.4, opacity: Math.max(0.18, Math.min(0.85, 30 / good)) } : { color: muted, width: 1, opacity: Math.max(0.04, Math.min(0.3, 60 / data.rows.length)) },
    })).reverse();
    const shared = { nameLocation: "end", nameGap: 12, nameTextStyle: { color: colour("ink"), fontSize: 11.5, fontFamily: "monospace" }, axisLine: { lineStyle: { color: colour("edge") } }, axisTick: { show: false }, z: 6, axisLabel: { ...axis.axisLabel, color: colour("ink"), hideOverlap: true, backgroundColor: colour("card"), padding: [1, 4], borderRadius: 3, margin: 6 },
      areaSelectStyle: { width: 22, borderWidth: 1, borderColor: colour("first"), color: colour("first"), opacity: 0.22 } };
    chart.setOption({
      ...option,
      tooltip: { show: false },
      parallel: { left: 34, right: narrow.matches ? 60 : 84, top: 34, bottom: 22, axisExpandable: false },
      parallelAxis: [
        ...data.names.map((name, dim) => ({ ...shared, dim, name, type: "category", data: data.values[dim], boundaryGap: true })),
        { ...shared, dim: data.names.length, name: data.screened ? "score" : "figure", type: log ? "log" : "value", inverse: data.minimise, nameLocation: data.minimise ? "start" : "end", min: Math.min(...values), max: Math.max(...values), axisLabel: { ...shared.axisLabel, formatter: label }, splitLine: { lineStyle: { color: line } } },
      ],
      series: [{ type: "parallel", data: lines, progressive: 0, inactiveOpacity: data.rows.length > 400 ? 0 : 0.05, activeOpacity: data.rows.length > 1500 ? 0.2 : data.rows.length > 400 ? 0.45 : 0.9, realtime: true }],
    }, true);
    const picked = () => {
      const model = chart.getModel().getSeriesByIndex(0);
      const active = model.getRawIndicesByActiveState("active");
      const brushed = chart.getModel().findComponents({ mainType: "parallelAxis" }).some((one) => one.activeIntervals.length);
      list(place, data, brushed ? active.map((at) => data.rows[data.rows.length - 1 - at]) : null, label);
    };
    chart.off("axisareaselected");
    chart.on("axisareaselected", picked);
    choices(chart, data, picked);
    list(place, data, null, label);
    return true;
  },
};

// The same choice without a pointer: a value for each axis.
function choices(chart, data, picked) {
  const place = document.getElementById("narrow");
  if (!place || place.dataset.family === data.family) return;
  place.dataset.family = data.family;
  const few = data.names.map((name, dim) => [name, dim]).filter(([, dim]) => data.values[dim].length <= 64);
  place.replaceChildren(...few.map(([name, dim]) => {
    const label = document.createElement("label"), select = document.createElement("select");
    label.append(name, select);
    select.append(new Option("any", ""), ...data.values[dim].map((value, at) => new Option(value, String(at))));
    select.addEventListener("change", () => {
      const at = select.value === "" ? null : Number(select.value);
      const axis = chart.getModel().findComponents({ mainType: "parallelAxis" })[dim];
      chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId: axis.id, intervals: at === null ? [] : [[at - 0.3, at + 0.3]] });
      picked();
    });
    return label;
  }));
  place.hidden = false;
}

function list(place, data, rows, label) {
  const below = document.getElementById("brushed");
  below.dataset.count = rows ? String(rows.length) : "";
  if (!rows) { below.replaceChildren(); return; }
  const title = document.createElement("h3");
  title.textContent = `${rows.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} configurations kept${rows.length > 12 ? ", the best 12" : ""}`;
  const best = rows.sort((a, b) => (data.minimise ? a[1] - b[1] : b[1] - a[1])).slice(0, 12);
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of [data.screened ? "score" : "figure", ...data.names]) {
    const cell = document.createElement("th");
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const [codes, value, candidate] of best) {
    const row = body.insertRow();
    const link = document.createElement(data.screened ? "span" : "a");
    if (!data.screened) link.href = `/jobs/${place.dataset.job}/candidates/${candidate}`;
    link.textContent = label(value);
    row.insertCell().append(link);
    codes.forEach((code, dim) => { row.insertCell().textContent = data.values[dim][code]; });
  }
  const scroll = document.createElement("div");
  scroll.className = "scroll";
  scroll.tabIndex = 0;
  scroll.append(table);
  below.replaceChildren(title, ...(rows.length ? [scroll] : []));
}

// Who came from whom.
const lineage = {
  load: (place) => told(place.dataset.src),
  draw(chart, data, place) {
    if (!data) return false;
    const { option, muted, line } = ground();
    const dress = (node) => ({
      name: node.name, candidate: node.candidate, family: node.family, figure: node.figure, status: node.status,
      symbolSize: node.best ? 13 : node.candidate ? 8 : 6,
      itemStyle: { color: node.best ? colour("good") : node.status === "ok" ? colour("first") : node.status === "more" ? colour("card") : colour("bad"), borderColor: node.status === "more" ? colour("edge") : "transparent" },
      label: { color: node.best ? colour("good") : node.candidate ? colour("ink") : muted, fontWeight: node.best || !node.candidate ? 600 : 400 },
      children: node.children.map(dress),
    });
    const leaves = (node) => (node.children.length ? node.children.reduce((sum, child) => sum + leaves(child), 0) : 1);
    const height = Math.max(240, Math.min(2400, 60 + 22 * leaves(data)));
    if (chart.getHeight() !== height) { place.style.height = `${height}px`; chart.resize(); }
    chart.setOption({
      ...option,
      tooltip: { ...option.tooltip, formatter: (p) => [p.data.name, p.data.family, p.data.figure || p.data.status?.replaceAll("_", " ")].filter(Boolean).join("\n") },
      series: [{
        type: "tree", data: [dress(data)], left: narrow.matches ? 70 : 130, right: narrow.matches ? 110 : 200, top: 14, bottom: 14, orient: "LR", initialTreeDepth: -1, expandAndCollapse: false, roam: false,
        symbol: "circle", edgeShape: "curve", lineStyle: { color: line, width: 1.4, curveness: 0.5 }, emphasis: { focus: "ancestor", lineStyle: { color: colour("first") } },
        label: { position: "left", distance: 7, fontSize: 11.5, align: "right", formatter: (p) => (p.data.figure ? `${p.data.name}  ${p.data.figure}` : p.data.name) },
        leaves: { label: { position: "right", align: "left" } },
      }],
    }, true);
    return true;
  },
  click: (place, event) => goTo(place.dataset.job, event.data?.candidate),
};

// Several jobs: how many times better than the own baseline the best so far is.
const compare = {
  async load(place) {
    const jobs = place.dataset.jobs.split(";").filter(Boolean).map((one) => one.split("="));
    return Promise.all(jobs.map(async ([id, name]) => ({ name, ...(await told(`/jobs/${id}/plots/progress.json`)) })));
  },
  draw(chart, data) {
    const { option, axis } = ground();
    const by = across() === "time" ? 1 : 0;
    const lines = data.filter((one) => one.baseline).map((one, at) => {
      let leader = null;
      const points = [];
      for (const p of one.points) {
        if (p[2] !== null && (leader === null || (one.minimise ? p[2] < leader : p[2] > leader))) {
          leader = p[2];
          points.push([p[by], one.minimise ? one.baseline / leader : leader / one.baseline]);
        }
      }
      if (points.length) points.push([one.points[one.points.length - 1][by], points[points.length - 1][1]]);
      return { type: "line", name: `${one.name} (${one.provenance})`, step: "end", data: points, symbol: "none", lineStyle: { color: series(at), width: 2.2 }, itemStyle: { color: series(at) } };
    });
    if (!lines.length) return false;
    const log = wide(lines.flatMap((one) => one.data.map((p) => p[1])));
    chart.setOption({
      ...option,
      grid: { ...option.grid, top: 50 },
      legend: { ...option.legend, show: true },
      xAxis: { ...axis, type: "value", min: by ? 0 : 1, splitLine: { show: false }, axisLabel: { ...axis.axisLabel, formatter: by ? elapsed : (v) => v.toLocaleString("en") } },
      yAxis: { ...axis, type: log ? "log" : "value", scale: true, name: "times the own baseline", nameTextStyle: { ...axis.nameTextStyle, align: "left", padding: [0, 0, 0, -20] }, axisLabel: { ...axis.axisLabel, formatter: (v) => `${number(v)}\u00d7` } },
      tooltip: { ...option.tooltip, trigger: "axis", valueFormatter: (v) => `${number(v)}\u00d7` },
      series: lines,
    }, true);
    return true;
  },
};

const kinds = { progress, roofline, parallel, lineage, compare };

function across() {
  return document.querySelector('#across [aria-pressed="true"]')?.dataset.across ?? "trial";
}

async function show(place) {
  const kind = kinds[place.dataset.plot];
  let found = charts.get(place);
  try {
    const data = await kind.load(place, found?.data);
    if (!place.isConnected) return;
    if (!found) {
      const canvas = document.createElement("div");
      canvas.className = "canvas";
      canvas.style.height = "100%";
      place.append(canvas);
      found = { chart: echarts.init(canvas, null, { renderer: "canvas" }) };
      charts.set(place, found);
      if (kind.click) found.chart.on("click", (event) => kind.click(place, event));
      new ResizeObserver(() => found.chart.resize()).observe(place);
    }
    found.data = data;
    place.classList.remove("waiting", "failed");
    place.classList.toggle("drawn", kind.draw(found.chart, data, place) !== false);
  } catch (error) {
    place.classList.remove("waiting");
    if (!found) place.classList.add("failed");
    if (!(error instanceof TypeError && /fetch/i.test(error.message))) console.error(error);
  }
}

function redraw() {
  for (const [place, found] of charts) {
    if (place.isConnected) kinds[place.dataset.plot].draw(found.chart, found.data, place);
  }
}

function all() {
  for (const [place, found] of charts) if (!place.isConnected) { found.chart.dispose(); charts.delete(place); }
  const toggle = document.getElementById("across");
  if (toggle) toggle.hidden = false;
  for (const place of document.querySelectorAll("[data-plot]")) show(place);
}

let next = 0;
document.addEventListener("DOMContentLoaded", all);
document.addEventListener("atunner:theme", redraw);
document.addEventListener("atunner:changed", () => {
  // A brushed plot keeps what was chosen; the others follow, at a pace that leaves the page usable.
  if (performance.now() < next) return;
  const began = performance.now();
  next = Infinity;
  const live = [...document.querySelectorAll("[data-plot]")].filter((one) => one.dataset.plot !== "parallel" || !document.getElementById("brushed")?.dataset.count);
  Promise.all(live.map(show)).then(() => { next = performance.now() + Math.max(800, 5 * (performance.now() - began)); });
});
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#across button");
  if (!button) return;
  for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(one === button));
  redraw();
});
