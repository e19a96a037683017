"""Works out, in the process that those of the services of records are forked from, what each of them would work out when it starts.

The digest of their rules alone is a fifth of a second of a core, most of what such a process takes to start (measured).
"""

from services.orders import domain as orders
from services.records.model.bank_holidays import scotland
from services.unpaid_work import domain as unpaid_work

for service in (orders, unpaid_work):
    service.domain(scotland())
