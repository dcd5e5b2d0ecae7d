/*
 * page.js - looking closer at the picture of a page: read-out, zoom, layers switched off
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Without it the page shows the whole picture. All numbers are in the element "numbers": powers in mW by column, times
 * in seconds from the start of what is shown. Words from outside only ever become text nodes.
 */
(function () {
	"use strict";
	var SVG = "http://www.w3.org/2000/svg", TIMES_MAX = 1.7, PEAK = 0.3;
	var d = JSON.parse(document.getElementById("numbers").textContent);
	var svg = document.getElementById("picture"), said = document.getElementById("said");
	var f = d.frame, n = d.columns, hidden = [], t0 = 0, t1 = d.duration, cursor, selection, from = null;
	var unknown = [];

	if (!n || !d.layers.length)
		return;
	d.unknown.forEach(function (run) {
		for (var i = run[0]; i < run[1]; i++)
			unknown[i] = true;
	});

	function element(name, attributes, parent) {
		var e = document.createElementNS(SVG, name);

		for (var key in attributes)
			e.setAttribute(key, attributes[key]);
		if (parent)
			parent.appendChild(e);
		return e;
	}

	function words(parent, x, y, size, ink, anchor, text) {
		element("text", { x: x.toFixed(1), y: y.toFixed(1), "font-size": size, "class": "f" + ink,
			"text-anchor": anchor }, parent).textContent = text;
	}

	function empty(id) {
		var group = document.getElementById(id);

		while (group && group.firstChild)
			group.removeChild(group.firstChild);
		return group;
	}

	function x_of(t) {
		return f.x + Math.min(Math.max((t - t0) / (t1 - t0), 0), 1) * f.width;
	}

	/* 1, 2 or 5 times a power of ten, at least this. */
	function round_step(least) {
		var step = Math.pow(10, Math.floor(Math.log10(least)));

		return step >= least ? step : 2 * step >= least ? 2 * step : 5 * step >= least ? 5 * step : 10 * step;
	}

	function time_step(least) {
		var steps = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

		if (least <= 5)
			return round_step(least);
		for (var i = 0; i < steps.length; i++)
			if (steps[i] >= least)
				return steps[i];
		return Math.ceil(least / 86400) * 86400;
	}

	function number(value, step) {
		return value.toFixed(step >= 1 && step % 1 === 0 ? 0 : Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
	}

	function watts(mw) {
		return mw >= 1e7 ? (mw / 1e6).toPrecision(3) + " kW" : (mw / 1e3).toFixed(mw < 99950 ? 1 : 0) + " W";
	}

	/* The wall clock of the machine, in the zone that the picture was made in. */
	function clock(t, step) {
		var at = new Date((d.start + t) * 1000 + d.zone * 1000), text = at.toISOString();

		return step >= 86400 ? text.slice(5, 10) : step >= 600 ? text.slice(11, 16) :
			step >= 1 ? text.slice(11, 19) : text.slice(11, 23);
	}

	function sum_at(column, upto) {
		var sum = 0;

		for (var j = 0; j < upto; j++)
			sum += hidden[j] ? 0 : d.layers[j].mw[column];
		return sum;
	}

	function any_hidden() {
		return hidden.some(function (h) { return h; });
	}

	function view() {
		var column = d.column, a = Math.max(0, Math.floor(t0 / column)), b = Math.min(n, Math.ceil(t1 / column)), top = 0;

		for (var i = a; i < b; i++) {
			if (!unknown[i])
				top = Math.max(top, any_hidden() ? sum_at(i, d.layers.length) : d.most[i]);
			d.lines.forEach(function (line) {
				top = Math.max(top, line.mw[i] || 0);
			});
		}
		top = top || 1000;
		var has_limit = d.limit && d.limit.mw <= TIMES_MAX * top;
		if (has_limit)
			top = Math.max(top, d.limit.mw);
		return { a: a, b: b, top: top * 1.03, has_limit: has_limit };
	}

	function y_of(v, mw) {
		return f.y + f.height * (1 - Math.min(mw / v.top, 1));
	}

	/* Runs of known columns as steps; bottom: a function of the column, or null for a line. */
	function steps(v, top, bottom, is_known) {
		var path = "", i = v.a;

		while (i < v.b) {
			var first = i, k;

			for (; i < v.b && is_known(i); i++)
				path += (i === first ? "M" : "L") + x_of(i * d.column).toFixed(1) + " " + y_of(v, top(i)).toFixed(1) +
					"H" + x_of((i + 1) * d.column).toFixed(1);
			for (k = i; bottom && k > first; k--)
				path += "L" + x_of(k * d.column).toFixed(1) + " " + y_of(v, bottom(k - 1)).toFixed(1) +
					"H" + x_of((k - 1) * d.column).toFixed(1);
			if (bottom && i > first)
				path += "Z";
			while (i < v.b && !is_known(i))
				i++;
		}
		return path;
	}

	function draw_stack(v) {
		var group = empty("stack"), known = function (i) { return !unknown[i]; }, zero = function () { return 0; };

		d.layers.forEach(function (ignored, index) {
			var j = d.layers.length - 1 - index, layer = d.layers[j], path;

			if (hidden[j])
				return;
			path = steps(v, function (i) { return sum_at(i, j + 1); }, zero, known);
			element("path", { d: path, "class": "f" + layer.fill }, group);
			if (layer.hatch)
				element("path", { d: path, fill: "url(#h" + layer.hatch + ")" }, group);
		});
		/* Whose it is no layer says: without one of them none of it is hatched. */
		if (d.filled && !any_hidden()) {
			var filled = steps(v, function (i) { return sum_at(i, d.layers.length); },
				function (i) { return sum_at(i, d.layers.length) - d.filled[i]; }, known);

			element("path", { d: filled, "class": "f" + d.inks.gap }, group);
			element("path", { d: filled, fill: "url(#h" + d.inks.gap_line + ")" }, group);
		}
		if (d.has_peaks && !any_hidden())
			element("path", { d: steps(v, function (i) { return d.most[i]; }, function (i) { return d.least[i]; }, known),
				"class": "f" + d.inks.peak, "fill-opacity": PEAK }, group);
		d.lines.forEach(function (line) {
			element("path", { d: steps(v, function (i) { return line.mw[i]; }, null, function (i) { return line.mw[i] !== null; }),
				"class": "s" + line.ink, fill: "none", "stroke-width": 1.8 }, group);
		});
		d.gaps.forEach(function (gap) {
			var x = x_of(gap[0]), width = Math.max(x_of(gap[1]) - x, 3), box;

			if (gap[1] <= t0 || gap[0] >= t1)
				return;
			box = { x: x, y: f.y, width: Math.min(width, f.x + f.width - x), height: f.height };
			if (!gap[2]) {
				element("rect", box, group).setAttribute("class", "f" + d.inks.gap);
			}
			element("rect", box, group).setAttribute("fill", "url(#h" + d.inks.gap_line + ")");
		});
		if (v.has_limit) {
			var y = y_of(v, d.limit.mw);

			element("path", { d: "M" + f.x + " " + y + "h" + f.width, "class": "s" + d.inks.limit, fill: "none",
				"stroke-width": 1.6, "stroke-dasharray": "5 4" }, group);
			words(group, f.x + f.width - 6, y - 6, 12, d.inks.limit, "end", d.limit.text + ": " + watts(d.limit.mw));
		}
	}

	function draw_power(v) {
		var group = empty("power"), unit = v.top >= 1e7 ? 1e6 : v.top >= 1000 ? 1e3 : 1;
		var step = round_step(v.top / Math.max(1, Math.floor(f.height / 46)));

		for (var mw = 0; mw <= v.top; mw += step) {
			var y = y_of(v, mw);

			element("path", { d: "M" + f.x + " " + y.toFixed(1) + "h" + f.width, "class": "s" + d.inks.grid, fill: "none" }, group);
			words(group, f.x - 8, y + 4.5, 13, d.inks.text, "end", number(mw / unit, step / unit));
		}
		words(group, f.x - 8, f.y - 13, 13, d.inks.muted, "end", unit === 1e6 ? "kW" : unit === 1e3 ? "W" : "mW");
	}

	function draw_time() {
		var group = empty("time"), step = time_step((t1 - t0) / Math.floor(f.width / 72)), bottom = f.y + f.height;
		var unit = d.unit;

		element("path", { d: "M" + f.x + " " + bottom + "h" + f.width, "class": "s" + d.inks.muted, fill: "none" }, group);
		for (var k = Math.ceil((t0 + d.offset) / step - 1e-9); k * step - d.offset <= t1 * (1 + 1e-9); k++) {
			var t = k * step - d.offset, x = x_of(t);

			element("path", { d: "M" + x.toFixed(1) + " " + bottom + "v5", "class": "s" + d.inks.muted, fill: "none" }, group);
			words(group, x, bottom + 19, 13, d.inks.text, "middle", number(k * step / unit, step / unit));
			words(group, x, bottom + 34, 11, d.inks.muted, "middle", clock(t, step));
		}
	}

	/* Rows as in the whole picture: below what a call is nested in; many short calls are a strip. */
	function draw_bands() {
		var group = empty("bands"), cell = (t1 - t0) / f.width * 2, regions = {}, busy = [], strips = [];
		var seen = d.calls.filter(function (call) { return call[2] > t0 && call[1] < t1; });

		empty("guides");
		seen.forEach(function (call) {
			var r = regions[call[0]] = regions[call[0]] || { n: 0, n_short: 0, dur: 0, cells: {} };

			r.n++;
			r.dur += call[2] - call[1];
			r.n_short += call[2] - call[1] < 2 * cell;
		});
		seen.forEach(function (call) {
			var r = regions[call[0]], row = 0, i;

			if (r.n >= 8 && 2 * r.n_short > r.n) {
				for (i = Math.floor(Math.max(call[1] - t0, 0) / cell); i <= Math.floor((Math.min(call[2], t1) - t0) / cell); i++)
					r.cells[i] = (r.cells[i] || 0) +
						Math.min(call[2], t0 + (i + 1) * cell) - Math.max(call[1], t0 + i * cell);
				if (strips.indexOf(call[0]) < 0)
					strips.push(call[0]);
				return;
			}
			for (i = 0; i < busy.length; i++)
				if (busy[i] > call[1] + 1e-9)
					row = i + 1;
			if (row >= f.rows)
				return;
			busy[row] = call[2];
			band(group, call, row);
		});
		strips.sort(function (a, b) { return regions[b].dur - regions[a].dur; });
		strips.forEach(function (region, index) {
			var row = busy.length + index, y = f.bands_y + row * f.row_height;

			if (row >= f.rows)
				return;
			for (var i in regions[region].cells)
				element("rect", { x: (f.x + i * 2).toFixed(1), y: y, width: 2, height: f.row_height - 3, "class": "f" + d.inks.edge,
					"fill-opacity": (0.18 + 0.75 * Math.min(1, regions[region].cells[i] / cell)).toFixed(2) }, group);
			words(group, f.x + 6, y + f.row_height - 8, 12, d.inks.text, "start", d.regions[region].name + " ×" + regions[region].n);
		});
	}

	function band(group, call, row) {
		var region = d.regions[call[0]], x = x_of(call[1]), width = Math.max(x_of(call[2]) - x, 0.8);
		var y = f.bands_y + row * f.row_height, letters = Math.floor((width - 9) / 7.4);
		var box = element("rect", { x: x.toFixed(1), y: y, width: width.toFixed(1), height: f.row_height - 3, rx: 2.5,
			"class": "f" + region.ink + " s" + d.inks.edge, "stroke-width": 0.6 }, group);

		element("title", {}, box).textContent = region.name + ": " + (call[2] - call[1]).toPrecision(4) + " s";
		if (letters >= 3)
			words(group, x + 6, y + f.row_height - 8, 12, d.inks.text, "start",
				region.name.length > letters ? region.name.slice(0, letters - 1) + "…" : region.name);
	}

	function draw() {
		var v = view();

		draw_power(v);
		draw_stack(v);
		draw_time();
		draw_bands();
		svg.appendChild(selection);
		svg.appendChild(cursor);
	}

	function look_at(a, b) {
		var least = Math.max(d.column * 4, d.duration * 1e-6), width = Math.min(Math.max(b - a, least), d.duration);

		t0 = Math.min(Math.max(a, 0), d.duration - width);
		t1 = t0 + width;
		draw();
	}

	function place(event) {
		var point = svg.createSVGPoint();

		point.x = event.clientX;
		point.y = event.clientY;
		point = point.matrixTransform(svg.getScreenCTM().inverse());
		point.t = t0 + (point.x - f.x) / f.width * (t1 - t0);
		point.is_inside = point.x >= f.x && point.x <= f.x + f.width && point.y >= f.bands_y && point.y <= f.y + f.height;
		return point;
	}

	function tell(event, at) {
		var column = Math.min(n - 1, Math.max(0, Math.floor(at.t / d.column))), box = svg.parentNode.getBoundingClientRect();
		var text = "+" + (at.t + d.offset).toFixed(d.duration < 100 ? 2 : 0) + " s  " + clock(at.t, d.duration < 600 ? 0.1 : 1);
		var inside = [];

		if (unknown[column]) {
			text += "\nno readings";
		} else {
			for (var j = d.layers.length - 1; j >= 0; j--)
				text += "\n" + d.layers[j].name + "  " + watts(d.layers[j].mw[column]);
			text += "\nsum  " + watts(d.layers.reduce(function (sum, layer) { return sum + layer.mw[column]; }, 0));
			if (d.has_peaks)
				text += "  (" + watts(d.least[column]) + " to " + watts(d.most[column]) + ")";
			if (d.filled && d.filled[column])
				text += "\nof it without readings  " + watts(d.filled[column]);
		}
		d.lines.forEach(function (line) {
			text += "\n" + line.name + "  " + (line.mw[column] === null ? "?" : watts(line.mw[column]));
		});
		d.calls.forEach(function (call) {
			if (call[1] <= at.t && call[2] > at.t && inside.length < 6)
				inside.push(d.regions[call[0]].name);
		});
		if (inside.length)
			text += "\nin " + inside.join(" › ");
		said.textContent = text;
		said.style.display = "block";
		said.style.left = Math.min(event.clientX - box.left + 14, box.width - said.offsetWidth - 4) + "px";
		said.style.top = event.clientY - box.top + 14 + "px";
		cursor.setAttribute("d", "M" + at.x.toFixed(1) + " " + f.y + "v" + f.height);
	}

	function hush() {
		said.style.display = "none";
		cursor.setAttribute("d", "");
	}

	cursor = element("path", { "class": "s" + d.inks.text, fill: "none", "stroke-width": 0.8 });
	selection = element("rect", { "class": "f" + d.inks.edge, "fill-opacity": 0.3, width: 0, height: f.height, y: f.y });
	svg.appendChild(selection);
	svg.appendChild(cursor);
	svg.addEventListener("mousemove", function (event) {
		var at = place(event);

		if (from !== null) {
			var x = Math.min(Math.max(at.x, f.x), f.x + f.width);

			selection.setAttribute("x", Math.min(from.x, x));
			selection.setAttribute("width", Math.abs(x - from.x));
		}
		if (at.is_inside)
			tell(event, at);
		else
			hush();
	});
	svg.addEventListener("mouseleave", hush);
	svg.addEventListener("mousedown", function (event) {
		var at = place(event);

		if (at.is_inside && event.button === 0) {
			from = at;
			event.preventDefault();
		}
	});
	window.addEventListener("mouseup", function (event) {
		if (from === null)
			return;
		var at = place(event), a = Math.min(from.t, at.t), b = Math.max(from.t, at.t), moved = Math.abs(at.x - from.x);

		from = null;
		selection.setAttribute("width", 0);
		if (moved > 4)
			look_at(Math.max(a, t0), Math.min(b, t1));
	});
	svg.addEventListener("wheel", function (event) {
		var at = place(event), by = event.deltaY > 0 ? 1.25 : 0.8;

		if (!at.is_inside)
			return;
		event.preventDefault();
		look_at(at.t - (at.t - t0) * by, at.t + (t1 - at.t) * by);
	}, { passive: false });
	svg.addEventListener("dblclick", function () { look_at(0, d.duration); });
	document.addEventListener("keydown", function (event) {
		if (event.key === "Escape")
			look_at(0, d.duration);
	});
	d.layers.forEach(function (layer, j) {
		/* The picture lists the top of the stack first. */
		var key = document.getElementById("k" + (d.layers.length - 1 - j));

		function toggle() {
			hidden[j] = !hidden[j];
			key.classList.toggle("off", hidden[j]);
			key.setAttribute("aria-pressed", hidden[j] ? "false" : "true");
			draw();
		}
		if (!key)
			return;
		key.setAttribute("role", "button");
		key.setAttribute("tabindex", "0");
		key.addEventListener("click", toggle);
		key.addEventListener("keydown", function (event) {
			if (event.key === "Enter" || event.key === " ") {
				event.preventDefault();
				toggle();
			}
		});
	});
	document.getElementById("help").textContent =
		"Wheel, or drag over a part: closer. Double click or Esc: all. Click on a name at the right: without it." +
		(d.n_calls > d.calls.length ? " Closer, only the first " + d.calls.length + " of " + d.n_calls + " calls of regions are drawn." : "");
	svg.setAttribute("data-ready", "yes");
}());
