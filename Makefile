# Everything from a clean clone: `make demo` to look, `make test` to check. `make help` lists the rest.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that is new enough. Set PYTHON to choose another.
PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$one && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Its headless shell draws no window of its own and takes three fifths of the time.
CHROMIUM ?= $(firstword $(wildcard $(addprefix /usr/bin/,chromium-headless-shell chromium chromium-browser google-chrome)))
WORKERS ?= 2
# Clients for `make conformance`: each in a folder of its own. Without npm they are not installed, and it says so.
NODE_CLIENTS := $(if $(shell command -v npm),$(patsubst %,.clients/%/.installed,msal-node graph-client cli-microsoft365))
export CHROMIUM

.PHONY: help
help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: setup
setup: .venv/.dev ## .venv/ with everything, for work on the code

.PHONY: runtime
runtime: .venv/.runtime ## .venv/ with what the portal runs on, and no more: for a server

.PHONY: demo
demo: open-way .venv/.runtime ## The portal and a pretend Entra ID at http://127.0.0.1:8000 (PORT, SANDBOX_PORT, VAR_DIR, PROFILE, PACE)
	@exec $(BIN)/python -m portal.local.demo

.PHONY: test
test: .venv/.dev chromium xgettext ## Every test, browser tests included (ARGS="-k word" narrows)
	@# Browser tests in a run of their own: Playwright's event loop must not run beneath Django's.
	@# What ARGS narrows may be in one of the two alone: pytest's 5, nothing to run, is no fault unless both say so.
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m browser $(ARGS); first=$$?; \
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not browser" $(ARGS); second=$$?; \
	if [ $$first = 5 ]; then first=0; elif [ $$second = 5 ]; then second=0; fi; \
	[ $$first = 0 ] || exit $$first; exit $$second

.PHONY: lint
lint: .venv/.dev ## Style, import floors, missing migrations, deployment checks, bandit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m portal.lint
	@# Low confidence is left to ruff's S rules, where each exception says why it is one.
	$(BIN)/bandit --quiet -r accounts audit b2c consent directory graph portal revocation tenants inbox manage.py -ll -ii

.PHONY: bench
bench: .venv/.dev .venv-clients/.installed ## Measure mass revocation beside msgraph-sdk: a table, and JSON under var/
	$(BIN)/python -m benchmarks.run $(ARGS)

.PHONY: chaos
chaos: .venv/.dev ## Kill workers, empty brokers, restart databases; one line per fault
	$(BIN)/python -m benchmarks.chaos $(ARGS)

.PHONY: attack
attack: .venv/.dev ## Several hundred attacks on the demo and its processes; prints N of N held (ARGS names sections)
	$(BIN)/python -m tests.attack $(ARGS)

.PHONY: drill
drill: .venv/.dev ## Restore, rotate, upgrade, freeze, fill disks with real processes; prints N of N held (ARGS names sections)
	$(BIN)/python -m tests.drill $(ARGS)

.PHONY: conformance
conformance: .venv/.dev .venv-clients/.installed .clients/azure-cli/.installed $(NODE_CLIENTS) ## The sandbox against five clients that nobody here wrote; one line a flow
	$(BIN)/python -m tests.conformance $(ARGS)

.PHONY: screenshots
screenshots: .venv/.dev chromium ## The README's pictures, and the main pages to look at (ARGS="de fr" languages, ARGS="--rtl en" mirrored)
	$(BIN)/python -m docs.screenshots.take $(ARGS)

.PHONY: messages
messages: .venv/.dev xgettext ## Bring the catalogues in locale/ up to date with the texts, and compile them
	$(BIN)/django-admin makemessages --all --no-obsolete --add-location file --ignore '.*' --ignore tests --ignore benchmarks --ignore docs
	$(BIN)/django-admin compilemessages --ignore '.*'

.PHONY: sbom
sbom: .venv-release/.installed ## What the portal is made of, as CycloneDX: var/sbom.json
	@mkdir -p var
	.venv-release/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --of JSON -o var/sbom.json
	@echo "var/sbom.json"

.PHONY: advisories
advisories: .venv-release/.installed ## Whether a pinned version has a known weakness; needs a source of advisories
	.venv-release/bin/pip-audit --require-hashes --disable-pip -r requirements.txt

.PHONY: upgrade
upgrade: .venv/.dev ## Move every pinned version to the newest that fits, then run `make test`
	$(PIP) install --upgrade uv
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 requirements-conformance.in -o requirements-conformance.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 requirements-observing.in -o requirements-observing.txt
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --python-version 3.11 requirements-release.in -o requirements-release.txt
	git --no-pager diff --stat -- 'requirements*.txt'

.PHONY: clean
clean: ## Remove the environments and everything the demo keeps
	@if [ -x $(BIN)/python ] && [ -d var/postgres ]; then $(BIN)/python -m portal.local.postgres stop; fi
	rm -rf .venv .venv-clients .venv-release .clients var

# --- what the above need ------------------------------------------------------------------------------

# Before anything is installed: the demo's PostgreSQL cannot run in every folder.
.PHONY: open-way
open-way:
	@$(PYTHON) portal/local/way.py

.venv/pyvenv.cfg:
	@if [ -z "$(PYTHON)" ]; then echo "Consentry needs Python 3.11 or newer. On Debian: apt-get install python3 python3-venv"; exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get -q -y install python3-venv >/dev/null || { apt-get -q update && apt-get -q -y install python3-venv; }; \
		else echo "Python's venv module is missing. On Debian: sudo apt-get install python3-venv"; exit 1; fi; }
	@rm -rf .venv
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/pyvenv.cfg
	@echo "Installing what the portal runs on: 240 MB, half a minute or so ..."
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

.venv/.dev: requirements-dev.txt .venv/.runtime
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

.venv-release/.installed: requirements-release.txt | .venv/pyvenv.cfg
	$(BIN)/python -m venv .venv-release
	.venv-release/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-release.txt
	@touch $@

.venv-clients/.installed: requirements-conformance.txt | .venv/pyvenv.cfg
	$(BIN)/python -m venv .venv-clients
	.venv-clients/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements-conformance.txt
	@touch $@

.clients/azure-cli/.installed: tests/conformance/clients/azure-cli/requirements.txt | .venv/pyvenv.cfg
	$(BIN)/python -m venv .clients/azure-cli
	.clients/azure-cli/bin/python -m pip --disable-pip-version-check --quiet install -r $<
	@touch $@

.clients/%/.installed: tests/conformance/clients/%/package.json
	@mkdir -p $(@D) && cp $< $(@D)/package.json
	npm install --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: xgettext
xgettext:
	@if command -v xgettext >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing gettext for the catalogues ..."; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get -q -y install --no-install-recommends gettext >/dev/null 2>&1 || { apt-get -q update && apt-get -q -y install --no-install-recommends gettext >/dev/null; }; \
	else \
		echo "The catalogues need GNU gettext. Install it with: sudo apt-get install gettext"; exit 1; \
	fi

.PHONY: chromium
chromium:
	@if [ -n "$(CHROMIUM)" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests ..."; \
		export DEBIAN_FRONTEND=noninteractive; \
		install="apt-get -q -y install --no-install-recommends"; \
		$$install chromium-headless-shell >/dev/null 2>&1 || { apt-get -q update && { \
			$$install chromium-headless-shell >/dev/null 2>&1 || $$install chromium >/dev/null; }; }; \
	else \
		echo "The browser tests need Chromium. Install it with: sudo apt-get install chromium-headless-shell"; \
		echo "or name one you have: make test CHROMIUM=/path/to/chromium"; exit 1; \
	fi
