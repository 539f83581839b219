# make run serves the app; see docs/operations.md. Every path here is relative, so that the
# checkout may lie anywhere, and old makes (macOS: 3.81) can read it.

PYTHON = .venv/bin/python
LOCK = uv pip compile --universal --python-version 3.11 --no-emit-index-url --generate-hashes
# What a public installation would set: the checks must pass for that one.
PUBLIC = TOUCHSTONE_HOSTS=touchstone.example \
	TOUCHSTONE_SECRET_KEY=$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(60))')

export PORT HOST PYTHON3

.PHONY: install install-dev run test check bench lock

install:
	@sh .ci/venv requirements.txt

install-dev:
	@sh .ci/venv requirements.txt requirements-dev.txt

run: install
	@$(PYTHON) -m config.serve --die-with-parent

test: install-dev
	@$(PYTHON) -m tests.browser.chromium --install
	$(PYTHON) -m pytest -n 2 --dist worksteal

check: install-dev
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	.venv/bin/djade --check $$(find templates -name '*.html')
	$(PYTHON) -m mypy
	.venv/bin/lint-imports
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PUBLIC) $(PYTHON) manage.py check --deploy --fail-level WARNING

bench: install
	$(PYTHON) -m benchmarks

lock:
	$(LOCK) requirements.in --output-file requirements.txt
	$(LOCK) requirements-dev.in --output-file requirements-dev.txt
